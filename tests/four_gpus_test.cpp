// SPDX-License-Identifier: Apache-2.0
// Four scripted GPUs of two vendors, from measuring to the table of ratios.
#include <algorithm>
#include <map>
#include <set>

#include "reports/relative.h"
#include "tests/catch.h"
#include "tests/made_results.h"
#include "tests/scripted_gpu.h"

namespace steelyard {
namespace {

const std::vector<GpuScript (*)(int)> all_gpus = {scripted_a100, scripted_h100, scripted_mi250,
                                                  scripted_mi300x};

// One small problem of every kind that GPUs differ in: all types of a GEMM, attention, memory,
// layers with outputs of several types.
std::vector<std::pair<const Family*, Options>> sweeps() {
  const auto hot = [](std::vector<Axis> axes) {
    Options options = {.axes = std::move(axes)};
    options.cache = CachePolicy::hot;
    options.min_samples = 6;
    return options;
  };
  const Axis dtypes = {"dtype",
                       {"f64", "f32", "tf32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2", "int8"}};
  return {
      {&gemm_family(), hot({dtypes, {"size", {"64"}}})},
      {&attention_family(),
       hot({{"queries", {"32"}}, {"keys", {"64"}}, {"heads", {"2"}}, {"kv_heads", {"1"}}})},
      {&memory_family(), hot({{"op", {"copy", "triad", "dot"}}, {"bytes", {"65536"}}})},
      {&layers_family(),
       hot({{"op", {"rms_norm", "swiglu", "quantise"}}, {"rows", {"8"}}, {"columns", {"256"}}})}};
}

std::vector<Record> measure_all(GpuScript (*script)(int)) {
  std::vector<Record> records;
  for (const auto& [family, options] : sweeps())
    std::ranges::move(ScriptedMachine({script(0)}).measure(*family, options),
                      std::back_inserter(records));
  return records;
}

// The problems that are measured, by side.
using Measured = std::map<std::string, std::set<std::size_t>>;

TEST_CASE("every problem that two of four GPUs support gets a ratio, in fp8 too") {
  std::vector<Results> results;
  Measured measured;
  for (std::size_t gpu = 0; gpu < all_gpus.size(); ++gpu) {
    std::vector<Record> records = measure_all(all_gpus[gpu]);
    for (const Record& record : records) {
      INFO(key(record) << ": " << record.reason);
      CHECK((record.status == Status::ok || record.status == Status::unsupported));
      if (record.status == Status::ok) measured[record.id].insert(gpu);
    }
    results.push_back(made_results(std::to_string(gpu), std::move(records)));
  }
  CHECK(measured.at("gemm/fp8_e4m3/nn/64x64x64") == std::set<std::size_t>{1, 3});
  CHECK(measured.at("gemm/f32/nn/64x64x64").size() == 4);

  const std::vector<Side> found = sides(results);
  REQUIRE(found.size() == 4);
  for (std::size_t reference = 0; reference < 4; ++reference) {
    const Relative relative = relate(found, reference);
    for (const Comparison& comparison : relative.comparisons) {
      CHECK(comparison.refusals.empty());
      for (const ComparedRow& row : comparison.rows)
        for (std::size_t side = 0; side < 4; ++side) {
          if (side == reference) continue;
          CAPTURE(row.id, reference, side);
          const auto& by = measured.at(row.id);
          CHECK(row.cells[side].ratio.has_value() == (by.contains(reference) && by.contains(side)));
        }
    }
  }
}

TEST_CASE("only rows whose data, cache policy or mode differ are refused") {
  // The second GPU measures three of four problems in another way.
  Options options = one_gemm();
  options.axes[1].values = {"32", "48", "64", "80"};
  std::vector<Record> reference =
      ScriptedMachine({scripted_h100()}).measure(gemm_family(), options);
  std::vector<Record> other;
  const auto measure = [&](const std::string& size, Options changed) {
    changed.axes[1].values = {size};
    std::ranges::move(ScriptedMachine({scripted_mi300x()}).measure(gemm_family(), changed),
                      std::back_inserter(other));
  };
  measure("32", options);
  Options another_seed = options;
  another_seed.seed = 43;
  measure("48", another_seed);
  Options uniform = options;
  uniform.fill = Fill::uniform;
  measure("64", uniform);
  Options steady = options;
  steady.mode = Mode::steady;
  measure("80", steady);

  std::vector<Results> results;
  results.push_back(made_results("h100", std::move(reference)));
  results.push_back(made_results("mi300x", std::move(other)));
  const std::vector<Side> found = sides(results);
  const Relative relative = relate(found, 0);
  std::set<std::string> compared, refused;
  for (const Comparison& comparison : relative.comparisons) {
    for (const ComparedRow& row : comparison.rows)
      if (row.cells[1].ratio) compared.insert(row.id);
    for (const Refusal& refusal : comparison.refusals) refused.insert(refusal.other->row().id);
  }
  CHECK(compared == std::set<std::string>{"gemm/f32/nn/32x32x32"});
  CHECK(refused.contains("gemm/f32/nn/48x48x48"));
  CHECK_FALSE(refused.contains("gemm/f32/nn/32x32x32"));
}

TEST_CASE("a package is measured with both dies at once: their sum, and the slower one") {
  GpuScript first = scripted_mi250(0), second = scripted_mi250(1);
  second.slowdown = 1.25;
  first.sensors = [](double now) {  // of the whole package
    return Telemetry{.clock_hz = 1.6e9, .power_watts = 500, .energy_joules = 500 * now};
  };
  second.sensors = [](double) {
    return Telemetry{.clock_hz = 1.5e9,
                     .throttle_reasons = {"ppt0"},
                     .missing = "power: 0 is read: ask the first die"};
  };
  Options options = one_gemm(512);
  options.together = true;
  options.energy = true;
  const auto records = ScriptedMachine({first, second}).measure(gemm_family(), options);
  REQUIRE(records.size() == 1);
  const Record& package = records[0];
  CHECK(package.status == Status::ok);
  CHECK(package.device == "hip:0+1");
  CHECK(package.unit == "package");
  CHECK(package.flops == 2 * 2.0 * 512 * 512 * 512);
  REQUIRE(package.together.size() == 2);
  CHECK(package.together[0].device == "hip:0");
  CHECK(package.together[1].median_seconds ==
        Approx(1.25 * package.together[0].median_seconds).epsilon(0.001));
  CHECK(package.timing.median_seconds == Approx(package.together[1].median_seconds));
  CHECK(package.together[0].mean_hz == 1.6e9);
  CHECK(package.together[1].mean_hz == 1.5e9);
  CHECK(package.clocks.throttle_reasons == std::vector<std::string>{"hip:1: ppt0"});
  CHECK(package.timing.throttled.size() == package.timing.samples_seconds.size());
  CHECK(package.power.valid);
  CHECK(package.power.scope == "package");
  CHECK(package.power.watts == Approx(500).epsilon(0.01));
}

TEST_CASE("one die alone is a gcd, whose energy is the package's") {
  GpuScript die = scripted_mi250(0);
  die.sensors = [](double now) {
    return Telemetry{.power_watts = 300, .energy_joules = 300 * now};
  };
  Options options = one_gemm();
  options.energy = true;
  const Record record = ScriptedMachine({die}).measure(gemm_family(), options).at(0);
  CHECK(record.unit == "gcd");
  CHECK(record.together.empty());
  CHECK_FALSE(record.power.valid);
  CHECK(record.power.scope == "package");
}

TEST_CASE("devices of several packages are a node, and one device cannot be together") {
  Options options = one_gemm();
  options.together = true;
  const ScriptedMachine node({scripted_h100(0), scripted_h100(1)});
  const auto rows = node.rows(gemm_family(), options);
  REQUIRE(rows.size() == 1);
  CHECK(device_id(rows[0].devices) == "cuda:0+1");
  CHECK(unit_of(rows[0].devices) == "node");
  CHECK_THAT(rows[0].key, ContainsSubstring("/cuda:0+1/"));
  const ScriptedMachine alone({scripted_h100()});
  CHECK_THROWS_AS(alone.rows(gemm_family(), options), UsageError);
  const ScriptedMachine mixed({scripted_a100(0), scripted_h100(1)});
  CHECK_THROWS_WITH(mixed.rows(gemm_family(), options), ContainsSubstring("one model"));
}

}  // namespace
}  // namespace steelyard
