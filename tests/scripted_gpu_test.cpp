// SPDX-License-Identifier: Apache-2.0
// Whole rows on scripted GPUs: each way in which a device can mislead ends in its status and flags.
#include "tests/scripted_gpu.h"

#include <algorithm>
#include <cmath>

#include "tests/catch.h"

namespace steelyard {
namespace {

Record measure_one(GpuScript script, const Options& options = one_gemm()) {
  return ScriptedMachine({std::move(script)}).measure(gemm_family(), options).at(0);
}

bool has_flag(const Record& record, std::string_view start) {
  return std::ranges::any_of(record.timing.flags,
                             [&](const std::string& flag) { return flag.starts_with(start); });
}

// A triad whose operands are cold.
std::vector<Record> measure_triad(GpuScript script, const std::string& bytes = "8388608") {
  Options options = {.axes = {{"op", {"triad"}}, {"bytes", {bytes}}}};
  return ScriptedMachine({std::move(script)}).measure(memory_family(), options);
}

TEST_CASE("a quiet scripted GPU gives an ok row without flags") {
  const Record record = measure_one(scripted_h100());
  CHECK(record.status == Status::ok);
  CHECK(record.reason.empty());
  CHECK(record.timing.flags == std::vector<std::string>{});
  CHECK(record.timing.converged);
  CHECK(record.verdict.ok);
  CHECK(record.verdict.deterministic == true);
}

TEST_CASE("a wrong result of a late launch is found, since the last timed one is verified") {
  GpuScript script = scripted_h100();
  script.wrong_from = 20'000;  // long after the checks before timing, long before the last window
  const Record record = measure_one(script);
  CHECK(record.status == Status::incorrect);
  CHECK_THAT(record.reason, ContainsSubstring("the last timed launch"));
  CHECK_FALSE(record.verdict.ok);
}

TEST_CASE("results whose last bits differ between launches are right, but not deterministic") {
  GpuScript script = scripted_h100();
  script.unstable = true;
  Options options = one_gemm();
  options.axes.push_back({"alpha", {"0.3"}});  // not exact in integers, where a last bit is wrong
  const Record record = measure_one(script, options);
  CHECK(record.status == Status::ok);
  CHECK(record.verdict.deterministic == false);
}

TEST_CASE("times that are not positive fail the row") {
  const double reading = GENERATE(-1.78e-3, 0.0, std::nan(""));
  GpuScript script = scripted_h100();
  script.clock = [=](double seconds, int window) { return window == 700 ? reading : seconds; };
  const Record record = measure_one(script);
  CHECK(record.status == Status::failed);
  CHECK_THAT(record.reason, ContainsSubstring("cannot be used"));
}

TEST_CASE("a device clock that runs slow against the host's fails the row") {
  GpuScript script = scripted_h100();
  script.clock = [](double seconds, int) { return seconds / 2; };
  script.slowdown = 10;  // windows of 10 ms: long enough to compare
  const Record record = measure_one(script);
  CHECK(record.status == Status::failed);
  CHECK_THAT(record.reason, ContainsSubstring("disagree"));
}

TEST_CASE("times at the resolution of the clock are implausible") {
  GpuScript script = scripted_h100();
  script.clock = [](double seconds, int window) {
    constexpr double tick = 1e-3;
    return tick * std::floor(seconds / tick + 1 + window % 2);  // 1 or 2 ticks
  };
  script.slowdown = 0.5;  // windows too short to be compared with the host's clock
  const Record record = measure_one(script);
  CHECK(record.status == Status::implausible);
  CHECK_THAT(record.reason, ContainsSubstring("resolution"));
}

TEST_CASE(
    "only what is too fast is implausible; what is too slow keeps its number and is flagged") {
  SECTION("above the peak") {
    GpuScript script = scripted_h100();
    script.slowdown = 0.5;  // 1.2 times the roofline
    const auto records = measure_triad(script);
    CHECK(records.at(0).status == Status::implausible);
    CHECK_THAT(records.at(0).reason, ContainsSubstring("above the peak of 3.350 TB/s"));
  }
  SECTION("slow for its class") {
    GpuScript script = scripted_mi250();
    script.slowdown = 5;  // 12 % of the roofline
    const auto records = measure_triad(script, "58720256");
    CHECK(records.at(0).status == Status::ok);
    CHECK(records.at(0).timing.median_seconds > 0);
    CHECK(has_flag(records.at(0), "slow_for_class: 409.6 GB/s expected"));
  }
}

TEST_CASE("the peak of a measured clock binds, not that of the boost clock") {
  GpuScript script = scripted_h100();
  script.slowdown = 0.7;  // 86 % of the peak at 1830 MHz, which is impossible at 1200 MHz
  const auto at = [&](double hertz) {
    script.sensors = [hertz](double) { return Telemetry{.clock_hz = hertz}; };
    Options options = one_gemm(512);
    options.energy = true;  // long enough for the clock to be known
    return measure_one(script, options);
  };
  CHECK(at(1.83e9).status == Status::ok);
  const Record record = at(1.2e9);
  CHECK(record.status == Status::implausible);
  CHECK_THAT(record.reason, ContainsSubstring("at 1200 MHz"));
}

TEST_CASE("throttling is flagged with its reasons, samples are marked, the number stays") {
  GpuScript script = scripted_h100();
  script.sensors = [](double now) {
    Telemetry sensors = {.clock_hz = 1.2e9, .power_watts = 700};
    if (now > 0.3) sensors.throttle_reasons = {"sw_power_cap"};
    return sensors;
  };
  const Record record = measure_one(script);
  CHECK(record.status == Status::ok);
  CHECK(has_flag(record, "clock held down: sw_power_cap"));
  CHECK(record.clocks.throttle_reasons == std::vector<std::string>{"sw_power_cap"});
  CHECK_FALSE(record.timing.throttled.empty());
}

TEST_CASE("a drifting device is flagged") {
  GpuScript script = scripted_h100();
  script.clock = [](double seconds, int window) { return seconds * (1 + window * 1e-4); };
  const Record record = measure_one(script);
  CHECK(has_flag(record, "drifted +"));
}

TEST_CASE("a hot cache that should be cold is noticed before the run, and its rows say so") {
  GpuScript script = scripted_h100();
  CHECK(ScriptedMachine({script}).calibrate(CachePolicy::rotate).cache_policy_effective == true);
  script.rotation_works = false;
  CHECK(ScriptedMachine({script}).calibrate(CachePolicy::rotate).cache_policy_effective == false);
  const auto record = measure_triad(script).at(0);
  // Faster than memory can be: the flag says why.
  CHECK(record.status == Status::implausible);
  CHECK(has_flag(record, "cache policy not effective"));
}

TEST_CASE("speed that depends on the data is told as the uplift of zeros") {
  GpuScript script = scripted_h100();
  script.zeros_uplift = 0.15;
  Options options = one_gemm(512);
  options.data_sensitivity = true;
  const Record record = measure_one(script, options);
  REQUIRE(record.zeros);
  CHECK(record.zeros->uplift == Approx(0.15).margin(0.001));
  CHECK(record.zeros->zeros_median_seconds ==
        Approx(record.timing.median_seconds / 1.15).epsilon(0.001));
  CHECK_FALSE(measure_one(scripted_h100()).zeros);
}

TEST_CASE("a device that is lost ends the run with its rows so far") {
  GpuScript script = scripted_h100();
  Options options = one_gemm();
  options.axes[1].values = {"64", "96", "128"};
  script.lost_at = 400'000;
  const auto records = ScriptedMachine({script}).measure(gemm_family(), options);
  REQUIRE(records.size() == 2);
  CHECK(records[0].status == Status::ok);
  CHECK(records[1].status == Status::failed);
  CHECK_THAT(records[1].reason, ContainsSubstring("off the bus"));
}

TEST_CASE("--energy extends short rows until energy can be told") {
  GpuScript script = scripted_h100();
  script.sensors = [](double now) {
    return Telemetry{.power_watts = 400, .energy_joules = 400 * now};
  };
  Options options = one_gemm();
  CHECK_FALSE(measure_one(script, options).power.valid);
  options.energy = true;
  const Record record = measure_one(script, options);
  CHECK(record.power.valid);
  CHECK(record.power.watts == Approx(400).epsilon(0.01));
  CHECK(record.power.joules_per_launch == Approx(400 * record.timing.median_seconds).epsilon(0.05));
}

TEST_CASE("a sustained row that the budget leaves no minute for is skipped") {
  GpuScript script = scripted_h100();
  Options options = one_gemm();
  options.mode = Mode::sustained;
  const Record record = measure_one(script, options);  // 5 s are allowed
  CHECK(record.status == Status::skipped);
  CHECK_THAT(record.reason, ContainsSubstring("60 s"));
}

}  // namespace
}  // namespace steelyard
