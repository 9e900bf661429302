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

// No test waits: limits are so short or so long that the clock decides nothing.
Plan samples(int count) {
  return {.min_samples = count, .min_seconds = 0, .max_seconds = 1e9};
}

TEST_CASE("a sample is the time of a window divided by its launches") {
  ScriptedDevice device([](int) { return 2e-6; });
  CountingRun run(1);
  Plan plan = samples(30);
  plan.launches = 7;
  const Timing timing = measure(device, run, plan);
  CHECK(timing.median_seconds == Approx(2e-6));
  CHECK(timing.launches == 7);
  CHECK(timing.samples_seconds.size() == 30);
}

TEST_CASE("quiet times need no more than the pilot") {
  ScriptedDevice device([](int) { return 1e-3; });
  CountingRun run(1);
  const Timing timing = measure(device, run, samples(30));
  CHECK(timing.samples_seconds.size() == 30);
  CHECK(timing.converged);
  CHECK(timing.flags.empty());
}

TEST_CASE("noise draws as many samples as the pilot's interval asks for, and no look decides") {
  std::mt19937 generator(7);
  std::normal_distribution<double> noise(1e-3, 1e-4);
  ScriptedDevice device([&](int) { return noise(generator); });
  CountingRun run(1);
  const Timing timing = measure(device, run, samples(30));
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
  const Timing timing = measure(device, run, plan);
  CHECK(timing.samples_seconds.size() == 6);
  CHECK_FALSE(timing.converged);
  CHECK(std::ranges::count(timing.flags, "not converged") == 1);
}

TEST_CASE("windows rotate through all operand sets and go on where the last one ended") {
  ScriptedDevice device([](int) { return 1e-3; });
  CountingRun run(5);
  Plan plan = samples(30);
  plan.launches = 3;
  measure(device, run, plan);
  for (std::size_t i = 1; i < device.windows.size(); ++i)
    CHECK(device.windows[i].first_copy == (device.windows[i - 1].first_copy + 3) % 5);
  const auto [least, most] = std::ranges::minmax(run.launches);
  CHECK(most - least <= 1);
}

TEST_CASE("a clock that does not advance fails the row") {
  ScriptedDevice device([](int window) { return window == 4 ? -1e-6 : 1e-3; });
  CountingRun run(1);
  CHECK_THROWS_WITH(measure(device, run, samples(30)), ContainsSubstring("not positive"));
}

TEST_CASE("times that drift are flagged") {
  ScriptedDevice device([](int window) { return window <= 3 ? 1e-3 : 1.1e-3; });
  CountingRun run(1);
  Plan plan = samples(60);
  plan.max_seconds = 0;  // six samples, three of each speed
  const Timing timing = measure(device, run, plan);
  CHECK(std::ranges::count(timing.flags, "drifted +10.0 %") == 1);
}

TEST_CASE("an interruption ends the row between two samples") {
  ScriptedDevice device([](int) { return 1e-3; });
  CountingRun run(1);
  Plan plan = samples(30);
  plan.interrupted = [&] { return device.windows.size() == 10; };
  CHECK_THROWS_AS(measure(device, run, plan), Interrupted);
  CHECK(device.windows.size() == 10);
}

TEST_CASE("the problem and the kind of device alone fix the window") {
  const DeviceInfo cpu = {.backend = "cpu", .shares_host_memory = true}, gpu = {.backend = "cuda"};
  CHECK(launches_per_sample(Gemm{.m = 4096, .n = 4096, .k = 4096}, cpu) == 1);
  // 2 x 64^3 operations take 5.24 us at 100 GFLOP/s: 191 fill a millisecond.
  CHECK(launches_per_sample(Gemm{.m = 64, .n = 64, .k = 64}, cpu) == 191);
  // 3 x 1 MiB take 157 us at 20 GB/s.
  CHECK(launches_per_sample(Memory{MemoryOp::triad, DType::f64, 1 << 20}, cpu) == 7);
  // 2 x 4096^3 operations take 68.7 us at 2 PFLOP/s; nothing takes less than a launch of 2 us.
  CHECK(launches_per_sample(Gemm{.m = 4096, .n = 4096, .k = 4096}, gpu) == 15);
  CHECK(launches_per_sample(Gemm{.m = 64, .n = 64, .k = 64}, gpu) == 500);
  CHECK(launches_per_sample(Launch{.launches = 50}, gpu) == 10);
}

TEST_CASE("rotation spans three times the last-level cache") {
  const Memory triad = {MemoryOp::triad, DType::f64, 1 << 20};  // 3 MiB
  CHECK(copies_for_rotation(triad, 32 << 20) == 32);
  CHECK(copies_for_rotation(triad, 0) == 1);
  const Memory large = {MemoryOp::triad, DType::f64, 128 << 20};
  CHECK(copies_for_rotation(large, 32 << 20) == 1);
}

}  // namespace
}  // namespace steelyard
