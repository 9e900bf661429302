// SPDX-License-Identifier: Apache-2.0
// How far software is, from made rows.
#include "reports/maturity.h"

#include "catch.h"
#include "made_results.h"

using namespace steelyard;

namespace {

constexpr const char* h100 = "NVIDIA H100 80GB HBM3";
constexpr const char* h200 = "NVIDIA H200";
constexpr const char* mi300x = "AMD Instinct MI300X";
using Cells = std::vector<std::string>;

struct Given {
  explicit Given(std::vector<std::vector<Record>> records)
      : results(made_results(std::move(records))), devices(sides(results)) {}
  std::vector<Results> results;
  std::vector<Side> devices;
};

Record gemm(const std::string& size, const std::string& kernel, const std::string& tier,
            double seconds, double flops = 2e9) {
  Record row = made({.id = "gemm/bf16/nn/" + size,
                     .kernel = kernel,
                     .tier = tier,
                     .seconds = seconds,
                     .half = 0,
                     .device_name = h100});
  row.problem = {{"kind", "gemm"}, {"a", "bf16"}};
  row.flops = flops;
  return row;
}

}  // namespace

TEST_CASE("rows are counted by what became of them, the worst run of each") {
  Record wrong = made_unmeasured({.id = "gemm/1", .kernel = "twice"}, Status::incorrect, "off");
  const Given given(
      {{made({.id = "gemm/1", .kernel = "quick", .tier = "library", .seconds = 1e-3}),
        made({.id = "gemm/1", .kernel = "slow", .seconds = 1.2e-3}),
        made({.id = "gemm/2", .kernel = "quick", .tier = "library", .seconds = 1e-3}),
        made({.id = "gemm/2", .kernel = "slow", .seconds = 1.3e-3}),
        made({.id = "gemm/3", .kernel = "alone"}), made({.id = "gemm/1", .kernel = "twice"}), wrong,
        made_unmeasured({.id = "gemm/4"}, Status::unsupported, "no"),
        made_unmeasured({.id = "gemm/5"}, Status::skipped, "no time")}});
  // 1 / 1.2 is near the best, 1 / 1.3 is not; a problem with one kernel has no contest.
  CHECK(support(given.results, given.devices).rows ==
        std::vector<Cells>{{"Alpha", "", "7", "6", "5", "1", "2 of 2", "1 of 2"}});
}

TEST_CASE("a device of which no row was measured stands among those that run") {
  const auto failing = [](const char* device, Status status) {
    return made_unmeasured({.id = "gemm/1", .device_name = device}, status, "no");
  };
  const Given given({{made({.id = "gemm/1"})},
                     {failing("Beta", Status::failed)},
                     {failing("Alpha", Status::unsupported)},
                     {failing("Gamma", Status::skipped)}});
  CHECK(support(given.results, given.devices).rows ==
        std::vector<Cells>{{"Alpha", "", "1", "1", "1", "0", "", ""},
                           {"Beta", "", "1", "1", "0", "1", "", ""},
                           {"Alpha (c)", "", "1", "0", "0", "0", "", ""}});
}

TEST_CASE("a vendor's devices count though no row of theirs was measured") {
  const Given given({{gemm("1", "lib", "library", 1e-3)},
                     {made_unmeasured({.device_name = mi300x}, Status::failed, "lost")}});
  const Table table = vendors(given.results, given.devices);
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0] == Cells{"AMD", "1", "1", "1", "0", "1", "", "", "", ""});
}

TEST_CASE("copies over the link to the host are no part of the software gap") {
  const auto copy = [](const std::string& path, double bytes) {
    Record row = made({.id = "copy/" + path + "/pinned/64MiB", .device_name = h100});
    row.family = "memory";
    row.bytes = bytes;
    return row;
  };
  const Given given({{copy("h2d", 5e7), copy("d2h", 5e7), copy("d2d", 1.675e9)}});
  // 1.675e9 bytes in 1 ms are half of 3350 GB/s.
  CHECK(software_gap(given.devices).rows ==
        std::vector<Cells>{{h100, "memory", "portable", "1", "50.0 %", "50.0 %", "50.0 %",
                            "copy/d2d/pinned/64MiB"}});
}

TEST_CASE("the software gap is of the fastest kernel of each tier on each problem") {
  const double peak = find_spec(h100)->peak("bf16")->value;
  // In 1 ms: 64 % and 16 % of the peak by the library, 16 % by portable kernels.
  const Given given({{gemm("1", "lib", "library", 1e-3, 0.64e-3 * peak),
                      gemm("1", "lib-slow", "library", 2e-3, 0.64e-3 * peak),
                      gemm("2", "lib", "library", 1e-3, 0.16e-3 * peak),
                      gemm("2", "tile", "portable", 1e-3, 0.16e-3 * peak)}});
  CHECK(software_gap(given.devices).rows ==
        std::vector<Cells>{
            {h100, "gemm", "library", "2", "32.0 %", "64.0 %", "16.0 %", "gemm/bf16/nn/2"},
            {h100, "gemm", "portable", "1", "16.0 %", "16.0 %", "16.0 %", "gemm/bf16/nn/2"}});
  CHECK(software_gap(Given({{made({})}}).devices).rows.empty());  // no datasheet
}

TEST_CASE("a bar shows the software gap of each device, family and tier") {
  const double peak = find_spec(h100)->peak("bf16")->value;
  const Given given({{gemm("1", "lib", "library", 1e-3, 0.64e-3 * peak),
                      gemm("2", "lib", "library", 1e-3, 0.16e-3 * peak)}});
  const auto charts = software_gap_charts(given.devices);
  REQUIRE(charts.size() == 1);
  REQUIRE(charts[0].rows.size() == 1);
  CHECK(charts[0].rows[0].label == std::string(h100) + ", gemm");
  CHECK(charts[0].rows[0].series == "library");
  CHECK(charts[0].rows[0].value == Approx(32));
  CHECK(charts[0].rows[0].text == "32.0 %");
  CHECK(software_gap_charts(Given({{made({})}}).devices).empty());  // no datasheet
}

TEST_CASE("vendors are summed up over all of their devices, where there are several") {
  const auto of = [](const char* device, Record row) {
    row.device_name = device;
    return row;
  };
  const double h100_peak = find_spec(h100)->peak("bf16")->value,
               h200_peak = find_spec(h200)->peak("bf16")->value,
               mi300x_peak = find_spec(mi300x)->peak("bf16")->value;
  const Given given({{gemm("1", "lib", "library", 1e-3, 0.64e-3 * h100_peak),
                      gemm("1", "tile", "portable", 2e-3, 0.64e-3 * h100_peak)},
                     {of(h200, gemm("2", "lib", "library", 1e-3, 0.16e-3 * h200_peak))},
                     {of(mi300x, gemm("1", "lib", "library", 1e-3, 0.5e-3 * mi300x_peak)),
                      of(mi300x, made_unmeasured({.id = "gemm/4"}, Status::unsupported, "no"))}});
  CHECK(vendors(given.results, given.devices).rows ==
        std::vector<Cells>{
            {"AMD", "1", "2", "1", "1", "0", "", "", "50.0 %", ""},
            {"NVIDIA", "2", "3", "3", "3", "0", "1 of 1", "0 of 1", "32.0 %", "32.0 %"}});
  CHECK(vendors(std::span(given.results).first(2), std::span(given.devices).first(2)).rows.empty());
}

TEST_CASE("a library's first choice is compared with the fastest of its algorithms") {
  const Given given(
      {{gemm("1", "cublaslt", "library", 1e-3), gemm("1", "cublaslt-default", "library", 1e-3),
        gemm("2", "cublaslt", "library", 1e-3), gemm("2", "cublaslt-default", "library", 4e-3),
        gemm("3", "cublaslt-default", "library", 4e-3)}});
  const Table table = default_algorithms(given.devices);
  REQUIRE(table.rows.size() == 1);
  CHECK(table.rows[0][1] == "cublaslt");
  CHECK(table.rows[0][2] == "2");
  CHECK(table.rows[0][3].starts_with("2.000 ("));  // of 1 and 4
  CHECK(table.rows[0][4] == "4.000");
  CHECK(table.rows[0][5] == "gemm/bf16/nn/2");
}

TEST_CASE("without a first choice beside the fastest it is not measured") {
  const Table table = default_algorithms(Given({{gemm("1", "cublaslt", "library", 1e-3)}}).devices);
  CHECK(table.rows.empty());
  CHECK(table.notes.at(0).starts_with("Not measured"));
}

TEST_CASE("results of one device under other versions make a trend, by date") {
  const auto result = [](const std::string& driver, double seconds) {
    return std::vector{made({.seconds = seconds, .half = 0, .driver = driver})};
  };
  Given given({result("2.0", 1e-3), result("1.0", 3e-3), result("2.0", 1e-3)});
  const auto set_date = [&](std::size_t i, const std::string& date) {
    given.results[i].files[0].context.google = {{"date", date}};
  };
  set_date(0, "2026-03-01");
  set_date(1, "2026-01-01");
  set_date(2, "2026-04-01");  // the same driver as before: no change of version
  const Table table = version_trend(given.results, given.devices);
  CHECK(table.rows == std::vector<Cells>{{"Alpha", "b, 2026-01-01", "a, 2026-03-01",
                                          "driver 1.0 -> 2.0", "1", "3.000 (3.000 to 3.000)"}});
}

TEST_CASE("more devices are no newer software") {
  const auto of = [](const std::string& driver, std::size_t devices) {
    Record row = made({.seconds = 1e-3, .half = 0, .driver = driver});
    row.unit = "node";
    row.together.resize(devices);
    return row;
  };
  const Given given({{of("1.0", 2)}, {of("2.0", 4)}});
  CHECK(version_trend(given.results, given.devices).rows.empty());
}

TEST_CASE("two devices are no trend") {
  const Given given({{made({.driver = "1.0"})}, {made({.driver = "2.0", .device_name = "Beta"})}});
  CHECK(version_trend(given.results, given.devices).rows.empty());
}
