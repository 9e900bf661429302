// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "tests/catch.h"
#include "tests/scripted_device.h"

namespace steelyard {
namespace {

// As long as it takes: only the number of samples decides.
Plan samples(int count) {
  return {.min_samples = count, .min_seconds = 0, .max_seconds = 1e9};
}

// No test waits: the host's clock is the device's own.
Samples measure_on(ScriptedDevice& device, Run& run, Plan plan) {
  plan.now = [&] { return device.now; };
  Monitor monitor({&device}, plan.now);
  return measure(device, run, plan, monitor);
}

bool has_flag(const Timing& timing, std::string_view start) {
  return std::ranges::any_of(timing.flags, [&](const auto& f) { return f.starts_with(start); });
}

TEST_CASE("a sample is the time of a window divided by its launches") {
  ScriptedDevice device([](int) { return 2e-6; });
  CountingRun run(1);
  Plan plan = samples(30);
  plan.launches = 7;
  const Timing timing = measure_on(device, run, plan).timing;
  CHECK(timing.median_seconds == Approx(2e-6));
  CHECK(timing.launches == 7);
  CHECK(timing.samples_seconds.size() == 30);
}

TEST_CASE("quiet times need no more than the pilot") {
  ScriptedDevice device([](int) { return 1e-3; });
  CountingRun run(1);
  const Timing timing = measure_on(device, run, samples(30)).timing;
  CHECK(timing.samples_seconds.size() == 30);
  CHECK(timing.converged);
  CHECK(timing.flags == std::vector<std::string>{});
}

TEST_CASE("noise draws as many samples as the pilot's interval asks for, and no look decides") {
  std::mt19937 generator(7);
  std::normal_distribution<double> noise(1e-3, 1e-4);
  ScriptedDevice device([&](int) { return noise(generator); });
  CountingRun run(1);
  const Timing timing = measure_on(device, run, samples(30)).timing;
  // sd 10 %, n = 30: the median's half-width is about 1.25 x 1.96 x 10 % / sqrt(30) = 4.5 %, and 1
  // % takes about 20 times the samples; the pilot's own error leaves a wide band.
  CHECK(timing.samples_seconds.size() > 150);
  CHECK(timing.samples_seconds.size() < 2500);
}

TEST_CASE("the time cap ends a row that is not converged, and it says so") {
  std::mt19937 generator(7);
  std::lognormal_distribution<double> noise(-7, 1);
  ScriptedDevice device([&](int) { return noise(generator); });
  CountingRun run(1);
  Plan plan = samples(30);
  plan.max_seconds = 0;
  const Timing timing = measure_on(device, run, plan).timing;
  CHECK(timing.samples_seconds.size() == 6);
  CHECK_FALSE(timing.converged);
  CHECK(std::ranges::count(timing.flags, "not converged") == 1);
}

TEST_CASE("windows rotate through all operand sets and go on where the last one ended") {
  ScriptedDevice device([](int) { return 1e-3; });
  CountingRun run(5);
  Plan plan = samples(30);
  plan.launches = 3;
  measure_on(device, run, plan);
  for (std::size_t i = 1; i < device.windows.size(); ++i)
    CHECK(device.windows[i].first_copy == (device.windows[i - 1].first_copy + 3) % 5);
  const auto [least, most] = std::ranges::minmax(run.launches);
  CHECK(most - least <= 1);
}

TEST_CASE("a clock that does not advance fails the row") {
  ScriptedDevice device([](int window) { return window == 4 ? -1e-6 : 1e-3; });
  CountingRun run(1);
  CHECK_THROWS_WITH(measure_on(device, run, samples(30)), ContainsSubstring("cannot be used"));
}

TEST_CASE("times that drift are flagged") {
  ScriptedDevice device([](int window) { return window <= 3 ? 1e-3 : 1.1e-3; });
  CountingRun run(1);
  Plan plan = samples(60);
  plan.max_seconds = 0;  // six samples, three of each speed
  const Timing timing = measure_on(device, run, plan).timing;
  CHECK(std::ranges::count(timing.flags, "drifted +10.0 %") == 1);
}

TEST_CASE("an interruption ends the row between two samples") {
  ScriptedDevice device([](int) { return 1e-3; });
  CountingRun run(1);
  Plan plan = samples(30);
  plan.interrupted = [&] { return device.windows.size() == 10; };
  CHECK_THROWS_AS(measure_on(device, run, plan), Interrupted);
  CHECK(device.windows.size() == 10);
}

TEST_CASE("a clock that disagrees with the host's fails the row, unless windows are too short") {
  const auto [ratio, seconds, fails] = GENERATE(table<double, double, bool>(
      {{1.08, 2e-3, false}, {1.2, 2e-3, true}, {0.8, 2e-3, true}, {1.2, 0.5e-3, false}}));
  CAPTURE(ratio, seconds);
  ScriptedDevice device([seconds = seconds](int) { return seconds; });
  device.host_over_device = ratio;
  CountingRun run(1);
  if (fails)
    CHECK_THROWS_WITH(measure_on(device, run, samples(30)), ContainsSubstring("disagree"));
  else
    CHECK_NOTHROW(measure_on(device, run, samples(30)));
}

TEST_CASE("one window that the host was late for fails nothing") {
  ScriptedDevice device([&](int) { return 2e-3; });
  CountingRun run(1);
  Plan plan = samples(30);
  plan.interrupted = [&] {
    device.host_over_device = device.windows.size() == 7 ? 3 : 1;
    return false;
  };
  CHECK_NOTHROW(measure_on(device, run, plan));
}

TEST_CASE("a clock of coarse steps shows in the samples, which are all kept") {
  // Steps of 1 us at 8.2 us: four of five windows read 8, the fifth 9.
  ScriptedDevice device([](int window) { return window % 5 == 0 ? 9e-6 : 8e-6; });
  CountingRun run(1);
  const Timing timing = measure_on(device, run, samples(100)).timing;
  CHECK(has_flag(timing, "bimodal: 20 % of the samples are 12.5 % slower"));
  CHECK(timing.samples_seconds.size() == 100);
  CHECK(timing.trimmed_mean_seconds == Approx((80 * 8e-6 + 10 * 9e-6) / 90));
}

TEST_CASE("quartiles, autocorrelation and far outliers are told, and outliers are counted") {
  std::mt19937 generator(7);
  std::normal_distribution<double> noise(1e-3, 1e-5);
  ScriptedDevice device([&](int window) { return window == 41 ? 5e-3 : noise(generator); });
  CountingRun run(1);
  const Timing timing = measure_on(device, run, samples(200)).timing;
  CHECK(timing.outlying == std::vector{40});  // after one window of warming up
  CHECK(timing.samples_seconds.at(40) == 5e-3);
  CHECK(timing.lower_quartile_seconds == Approx(1e-3 - 0.674e-5).margin(2e-6));
  CHECK(timing.upper_quartile_seconds == Approx(1e-3 + 0.674e-5).margin(3e-6));
  CHECK(std::abs(timing.lag1_autocorrelation) < 0.2);
  CHECK_FALSE(has_flag(timing, "autocorrelated"));
  CHECK_FALSE(has_flag(timing, "bimodal"));
}

TEST_CASE("samples that follow each other are flagged: their interval is too narrow") {
  ScriptedDevice device([](int window) { return 1e-3 * (1 + 0.02 * std::sin(window / 10.0)); });
  CountingRun run(1);
  const Timing timing = measure_on(device, run, samples(300)).timing;
  CHECK(timing.lag1_autocorrelation > 0.9);
  CHECK(has_flag(timing, "autocorrelated"));
}

TEST_CASE("throttled samples are marked, kept and counted") {
  ScriptedDevice device([](int window) { return window > 20 ? 30e-3 : 20e-3; });
  device.sensors = [](double now) {
    Telemetry sensors = {.clock_hz = now > 0.5 ? 1.2e9 : 1.8e9};
    if (now > 0.5) sensors.throttle_reasons = {"sw_power_cap"};
    return sensors;
  };
  CountingRun run(1);
  const Timing timing = measure_on(device, run, samples(60)).timing;
  REQUIRE(timing.samples_seconds.size() >= 60);
  REQUIRE_FALSE(timing.throttled.empty());
  // Readings are 0.25 s apart, so that the mark may begin up to so much early.
  CHECK(timing.throttled.front() <= 25);
  CHECK(timing.throttled.front() >= 11);
  CHECK(timing.throttled.back() == static_cast<int>(timing.samples_seconds.size()) - 1);
  CHECK(timing.median_seconds == 30e-3);
}

TEST_CASE("the last window starts on poisoned outputs of the operand set that it ends on") {
  ScriptedDevice device([](int) { return 1e-3; });
  CountingRun run(5);
  Plan plan = samples(30);
  plan.launches = 3;
  std::size_t windows_before = 0;
  int poisoned = -1;
  plan.before_last_window = [&](int copy) {
    windows_before = device.windows.size();
    poisoned = copy;
  };
  const Samples samples = measure_on(device, run, plan);
  CHECK(device.windows.size() == windows_before + 1);
  CHECK(poisoned == (device.windows.back().first_copy + 2) % 5);
  CHECK(samples.last_copy == poisoned);
}

TEST_CASE("a sustained row runs for its minute, reports its last third and traces every second") {
  // Full speed for 30 s, then 20 % slower for good.
  ScriptedDevice device([&](int) { return device.now < 30 ? 10e-3 : 12e-3; });
  device.sensors = [](double now) {
    return Telemetry{.clock_hz = now < 30 ? 1.8e9 : 1.5e9,
                     .power_watts = 700,
                     .temperature_celsius = 40 + now / 2};
  };
  CountingRun run(1);
  Plan plan = samples(30);
  plan.sustained_seconds = 60;
  const Samples samples = measure_on(device, run, plan);
  const Timing& timing = samples.timing;
  CHECK(timing.median_seconds == 12e-3);
  CHECK(timing.minimum_seconds == 12e-3);
  CHECK(device.now >= 60);
  CHECK(device.now < 60.1);
  // 3,000 samples of 10 ms, then 10 s of 12 ms until the last third begins.
  CHECK(timing.reported_from == Approx(3000 + 10 / 12e-3).margin(3));
  CHECK(timing.samples_seconds.size() == Approx(3000 + 30 / 12e-3).margin(3));
  REQUIRE(samples.trace.size() >= 59);
  REQUIRE(samples.trace.size() <= 61);
  CHECK(samples.trace[10].median_seconds == 10e-3);
  CHECK(samples.trace[10].clock_hz == 1.8e9);
  CHECK(samples.trace.back().median_seconds == 12e-3);
  CHECK(samples.trace.back().watts == 700.0);
  CHECK(samples.trace.back().temperature_celsius == Approx(70).margin(0.5));
}

TEST_CASE("a sustained row of few long windows goes on until its last third has an interval") {
  ScriptedDevice device([](int) { return 25.0; });
  CountingRun run(1);
  Plan plan = samples(30);
  plan.sustained_seconds = 60;
  const Timing timing = measure_on(device, run, plan).timing;
  CHECK(timing.samples_seconds.size() - static_cast<std::size_t>(timing.reported_from) == 6);
  CHECK(timing.converged);
}

TEST_CASE("a device whose queue is too short is asked once to enqueue ahead, and the row says so") {
  ScriptedDevice device([](int) { return 1e-3; });
  device.queue = 8;
  CountingRun run(1);
  const Plan plan = {.launches = 16, .now = [&] { return device.now; }};
  Monitor monitor({&device}, plan.now);
  const Timing timing = measure(device, run, plan, monitor).timing;
  CHECK(std::ranges::count_if(device.windows, &Window::back_to_back) == 1);
  CHECK(std::ranges::any_of(timing.flags, [](const std::string& flag) {
    return flag.starts_with("not enqueued ahead");
  }));
}

}  // namespace
}  // namespace steelyard
