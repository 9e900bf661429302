// SPDX-License-Identifier: Apache-2.0
// How often the stated 95 % interval holds the true median, with the rule that decides when to stop.
#include <cmath>
#include <random>

#include "bench/measure.h"
#include "tests/catch.h"
#include "tests/scripted_device.h"

namespace steelyard {
namespace {

constexpr double true_median = 1e-3;
constexpr int runs = 10'000;

// The share of `runs` whose interval holds the true median of independent log-normal noise.
double coverage(double deviation, double target, double min_seconds, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> noise(0, deviation);
  int covered = 0;
  for (int run = 0; run < runs; ++run) {
    ScriptedDevice device([&](int) { return true_median * std::exp(noise(generator)); });
    CountingRun counted(1);
    const Plan plan = {
        .min_seconds = min_seconds, .max_seconds = 1e9, .target_half_width = target, .now = [&] {
          return device.now;
        }};
    Monitor monitor({&device}, plan.now);
    const Interval found = measure(device, counted, plan, monitor).timing.ci95_seconds;
    covered += found.lower <= true_median && true_median <= found.upper;
  }
  return static_cast<double>(covered) / runs;
}

TEST_CASE("the interval of the median holds it in 95 % of 10,000 runs, stopping rule included") {
  // From noise that needs the pilot alone to noise that takes thousands of samples, and targets
  // that leave the decision to chance. Standard error of the share: 0.2 %.
  const auto [deviation, target, min_seconds] =
      GENERATE(table<double, double, double>({{0.003, 0.01, 0.0},
                                              {0.04, 0.02, 0.0},
                                              {0.05, 0.02, 0.0},
                                              {0.07, 0.02, 0.0},
                                              {0.05, 0.01, 0.0},
                                              {0.10, 0.01, 0.0},
                                              {0.05, 0.01, 0.2}}));
  CAPTURE(deviation, target, min_seconds);
  const double share = coverage(deviation, target, min_seconds, 20261126);
  CHECK(share >= 0.94);
  CHECK(share <= 0.96);
}

}  // namespace
}  // namespace steelyard
