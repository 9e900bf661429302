// SPDX-License-Identifier: Apache-2.0
// What sides reach of their peaks, what they take for it, and what they are.
#include "reports/efficiency.h"

#include "reports/fits.h"
#include "reports/means.h"
#include "tests/catch.h"
#include "tests/made_results.h"
#include "tests/table_cells.h"

namespace steelyard {
namespace {

constexpr const char* h100 = "NVIDIA H100 80GB HBM3";
constexpr const char* h100_pcie = "NVIDIA H100 PCIe";
constexpr const char* mi300x = "AMD Instinct MI300X";
constexpr const char* mi250 = "AMD Instinct MI250X / MI250";

Record on(const char* device, double seconds, const std::string& id = "gemm/f32/nn/64x64x64") {
  return made({.id = id, .seconds = seconds, .device_name = device});
}

Record die(double seconds) {
  Record row = on(mi250, seconds);
  row.unit = "gcd";
  row.device = "hip:0";
  return row;
}

Record package(double seconds) {
  Record row = on(mi250, seconds);
  row.device = "hip:0+1";
  row.together = {{.device = "hip:0"}, {.device = "hip:1"}};
  return row;
}

// A result set of each of these rows, and how they relate to the first.
struct SideBySide {
  std::vector<Results> results;
  std::vector<Side> sides;
  Relative relative;

  explicit SideBySide(std::vector<std::vector<Record>> rows) {
    for (auto& one : rows)
      results.push_back(made_results("r" + std::to_string(results.size()), std::move(one)));
    sides = steelyard::sides(results);
    relative = relate(sides, 0);
  }
};

TEST_CASE("shares are of the datasheet's peak, of it at the clock, and of what a device reached") {
  // 2e9 operations in 1 and 2 ms: of 66.9 TFLOP/s dense f32; the best product is the device's own roof.
  Record fast = on(h100, 1e-3), slow = on(h100, 2e-3, "gemm/f32/nn/128x128x128");
  fast.clocks.mean_hz = 990e6;  // half of the clock of that peak
  const SideBySide both({{fast, slow}, {on(mi300x, 1e-3)}});
  const Table table = share_table(both.sides, both.relative);
  const std::string label = both.sides[0].label;
  CHECK(column(table, label + ": of datasheet") == Cells{"3.0 %", "1.5 %"});
  CHECK(column(table, label + ": at its clock") == Cells{"6.0 %", "-"});
  CHECK(column(table, label + ": of achievable") == Cells{"100.0 %", "50.0 %"});
  CHECK(column(table, both.sides[1].label + ": of datasheet") == Cells{"1.2 %", "-"});
  CHECK(table.columns.size() == 6);  // no clock of the second side, so no column
}

TEST_CASE("bandwidths are shares of bandwidths; hot rows read no memory and are left out") {
  // 1e8 bytes in 0.1 and 0.2 ms: 1 and 0.5 TB/s of 3.35.
  Record read = on(h100, 1e-4, "memory/read/f64/1GiB"),
         copy = on(h100, 2e-4, "memory/copy/f64/1GiB");
  Record hot = on(h100, 1e-5, "memory/read/f64/1MiB");
  hot.cache = "hot";
  const SideBySide both({{read, copy, hot}, {on(mi300x, 1e-4, "memory/read/f64/1GiB")}});
  const Table table = share_table(both.sides, both.relative);
  CHECK(column(table, both.sides[0].label + ": of achievable") == Cells{"50.0 %", "100.0 %"});
  CHECK(column(table, both.sides[0].label + ": of datasheet") == Cells{"14.9 %", "29.9 %"});
}

TEST_CASE("a share is taken at a clock only where the peak's own is known") {
  // 989.4 TFLOP/s of an H100 are at 1830 MHz; of a B200 the datasheet gives none.
  Record hopper = on(h100, 1e-3, "gemm/bf16/nn/1x1x1"),
         blackwell = on("NVIDIA B200", 1e-3, "gemm/bf16/nn/1x1x1");
  for (Record* row : {&hopper, &blackwell}) {
    row->problem = {{"kind", "gemm"}, {"a", "bf16"}};
    row->flops = 494.7e9;
    row->clocks.mean_hz = 915e6;
  }
  const SideBySide both({{hopper}, {blackwell}});
  const Table table = share_table(both.sides, both.relative);
  CHECK(column(table, both.sides[0].label + ": at its clock") == Cells{"100.0 %"});
  CHECK(table.columns.size() == 6);  // no such column of the second
}

TEST_CASE("shares of a device that may be two products say so") {
  const SideBySide both({{on(h100, 1e-3)}, {die(1e-3)}});
  CHECK_THAT(share_table(both.sides, both.relative).notes.back(),
             ContainsSubstring("MI250-GCD or MI250X-GCD"));
}

TEST_CASE("work per joule names where its watts are from") {
  Record measured = on(h100, 1e-3);
  measured.power = {.watts = 400, .valid = true};
  Record invalid = on(mi300x, 0.5e-3);
  invalid.power = {.watts = 100, .valid = false};
  const SideBySide all({{measured}, {invalid}, {die(1e-3)}, {package(1e-3)}});
  const Table table = watt_table(all.sides, all.relative);
  CHECK(column(table, all.sides[0].label) == Cells{"5.000 GFLOP/J (measured 400 W)"});
  CHECK(column(table, all.sides[1].label) == Cells{"5.333 GFLOP/J (TDP 750 W)"});
  CHECK(column(table, all.sides[3].label) == Cells{"3.571 GFLOP/J (TDP 560 W)"});
  CHECK(table.columns.size() == 4);  // a die has no power of its own
}

TEST_CASE("measured watts are never divided by a datasheet's") {
  Record measured = on(h100, 1e-3), also = on(mi300x, 0.5e-3);
  measured.power = {.watts = 400, .valid = true};
  also.power = {.watts = 600, .valid = true};
  const SideBySide alike({{measured}, {also}});
  const Table table = watt_mean_table(alike.sides, alike.relative);
  CHECK(column(table, "power") == Cells{"measured"});
  CHECK(column(table, "geometric mean") == Cells{"1.333"});  // twice as fast at 1.5 times the watts
  CHECK(column(table, "n") == Cells{"1"});
  also.power.valid = false;
  const SideBySide mixed({{measured}, {also}});
  CHECK(watt_mean_table(mixed.sides, mixed.relative).rows.empty());
}

TEST_CASE("a latency does no work, and enters no mean of work per joule") {
  Record chase = on(h100, 1e-3, "memory/chase/int32/16KiB"),
         theirs = on(mi300x, 0.5e-3, "memory/chase/int32/16KiB");
  chase.steps = theirs.steps = 1000;
  const SideBySide both({{chase, on(h100, 1e-3, "memory/read/f64/1GiB")},
                         {theirs, on(mi300x, 1e-3, "memory/read/f64/1GiB")}});
  const Table table = watt_mean_table(both.sides, both.relative);
  CHECK(column(table, "n") == Cells{"1"});
  CHECK(column(table, "geometric mean") == Cells{"0.933"});  // 700 W over 750 W
}

TEST_CASE("a mean has the interval of these rows and that of rows like these") {
  // Ratios 2 and 8 without width of their own: sd of logarithms ln 4 / sqrt 2, t(0.975, 1) = 12.7062.
  const auto exact = [](const char* device, double seconds, const std::string& id) {
    return made({.id = id, .seconds = seconds, .half = 0, .device_name = device});
  };
  const SideBySide both(
      {{exact(h100, 2e-3, "gemm/f32/nn/1x1x1"), exact(h100, 8e-3, "gemm/f32/nn/2x2x2")},
       {exact(mi300x, 1e-3, "gemm/f32/nn/1x1x1"), exact(mi300x, 1e-3, "gemm/f32/nn/2x2x2")}});
  const Table table = mean_table(both.sides, both.relative);
  CHECK(column(table, "geometric mean") == Cells{"4.000"});
  CHECK(column(table, "ci95, this suite") == Cells{"4.000 to 4.000"});
  CHECK(column(table, "ci95, workloads like these") == Cells{"6.0e-04 to 2.7e+04"});
}

TEST_CASE("a family of several types has a mean of each, and of all") {
  Record bf16 = on(h100, 4e-3, "gemm/bf16/nn/1x1x1"),
         theirs = on(mi300x, 1e-3, "gemm/bf16/nn/1x1x1");
  bf16.problem = theirs.problem = {{"kind", "gemm"}, {"a", "bf16"}};
  const SideBySide both({{on(h100, 1e-3), bf16}, {on(mi300x, 1e-3), theirs}});
  const Table table = mean_table(both.sides, both.relative);
  CHECK(column(table, "type") == Cells{"bf16", "f32", "all"});
  CHECK(column(table, "geometric mean") == Cells{"4.000", "1.000", "2.000"});
  CHECK(column(table, "n") == Cells{"1", "1", "2"});
}

TEST_CASE("a die is half of its package, and a warning stands where it meets a whole") {
  const SideBySide both({{on(h100, 1e-3)}, {die(1e-3)}});
  const Table table = product_table(both.sides, 0);
  CHECK(column(table, "measured as") == Cells{"package", "one GCD of 2"});
  CHECK(column(table, "datasheet") == Cells{"H100-SXM5-80GB", "MI250-GCD"});
  CHECK(column(table, "memory") == Cells{"80 GiB", "64 GiB"});
  CHECK(column(table, "power [W]") == Cells{"700", "-"});
  REQUIRE(table.notes.size() == 4);
  CHECK(table.notes[0] == both.sides[1].label + ": its package was not measured.");
  CHECK_THAT(table.notes[1], ContainsSubstring("one die of its package"));
  CHECK_THAT(table.notes[2], ContainsSubstring("MI250-GCD or MI250X-GCD"));
}

TEST_CASE("a package is its dies together, measured together") {
  const SideBySide both({{die(1e-3), package(1e-3)}});
  const Table table = product_table(both.sides, 1);
  CHECK(column(table, "measured as") == Cells{"one GCD of 2", "package: 2 GCDs together"});
  CHECK(column(table, "memory") == Cells{"64 GiB", "128 GiB"});
  CHECK(column(table, "power [W]") == Cells{"-", "560"});
  CHECK(table.notes.size() == 3);  // one warning, one doubt, and no missing package
}

TEST_CASE(
    "several devices at work together are counted, and a warning stands where they meet one") {
  Record two = on(h100, 1e-3);
  two.unit = "node";
  two.together = {{.device = "cuda:0"}, {.device = "cuda:1"}};
  const SideBySide both({{two}, {on(h100_pcie, 1e-3)}});
  CHECK(both.sides[0].label == std::string("2 x ") + h100);
  const Table table = product_table(both.sides, 0);
  CHECK(column(table, "measured as") == Cells{"2 devices together", "package"});
  CHECK(table.notes[0] == std::string("2 x ") + h100 + " is 2 devices together, " + h100_pcie +
                              " is package: ratios are of all that work together.");
  CHECK_THAT(table.notes[1], ContainsSubstring("different products of one name"));
}

TEST_CASE("a die of each of two packages is no package") {
  Record two = package(1e-3);
  two.unit = "node";
  const SideBySide both({{two}, {package(1e-3)}});
  CHECK(both.sides[0].label.starts_with("2 GCDs of "));
  const Table table = product_table(both.sides, 0);
  CHECK(column(table, "measured as") ==
        Cells{"2 GCDs of several packages", "package: 2 GCDs together"});
  CHECK_THAT(table.notes[0], ContainsSubstring("ratios are of all that work together"));
}

TEST_CASE("cards and modules of one name are named as different products") {
  const SideBySide both({{on(h100, 1e-3)}, {on(h100_pcie, 1e-3)}});
  CHECK_THAT(
      product_table(both.sides, 0).notes[0],
      ContainsSubstring("different products of one name: H100-SXM5-80GB and H100-PCIe-80GB"));
  const SideBySide others({{on(h100, 1e-3)}, {on(mi300x, 1e-3)}});
  CHECK(product_table(others.sides, 0).notes.size() == 1);
}

Record step(const char* device, int largest_batch) {
  Record row = on(device, 1e-3, "transformer/toy/decode");
  row.problem = {
      {"model", "toy"}, {"phase", "decode"}, {"weights", "bf16"}, {"context", std::int64_t{4096}}};
  row.step.emplace();
  row.step->whole_model = Capacity{.weight_bytes = 0x1p34,
                                   .largest_batch = largest_batch,
                                   .largest_context = 8192,
                                   .allocated = largest_batch > 10};
  return row;
}

TEST_CASE("the largest model stands side by side, unless an older program did not look for it") {
  Record old = step(h100_pcie, 3), none = step(mi300x, 0), large = step(h100, 12);
  none.step->whole_model->largest_model = "";
  large.step->whole_model->largest_model = "toy-70b";
  const SideBySide all({{large}, {none}, {old}});
  const Table table = largest_models(all.sides);
  REQUIRE(table.rows.size() == 1);
  CHECK(table.rows[0] ==
        Cells{"decode", "bf16", "4096", "toy-70b", "none (counted)", "not measured"});
  CHECK(largest_models(SideBySide({{old}}).sides).rows.empty());
}

TEST_CASE("what fits stands side by side, and what was not measured says so") {
  const SideBySide all({{step(h100, 12)}, {step(mi300x, 8)}, {step(h100_pcie, 0)}, {die(1e-3)}});
  const Table table = fit_table(all.sides);
  REQUIRE(table.rows.size() == 1);
  CHECK(table.rows[0] == Cells{"toy", "decode", "bf16", "4096", "16 GiB", "batch 12, context 8192",
                               "batch 8, context 8192 (counted)", "does not fit", "not measured"});
}

}  // namespace
}  // namespace steelyard
