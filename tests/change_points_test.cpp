// SPDX-License-Identifier: Apache-2.0
#include "reports/change_points.h"

#include <fmt/format.h>

#include <cmath>

#include "tests/catch.h"
#include "tests/noise.h"

namespace steelyard {
namespace {

// Values around 1 with a relative deviation and AR(1) coefficient; `level(i)` multiplies.
template <class Level>
std::vector<double> history(std::uint64_t seed, int values, double deviation, double phi,
                            Level level) {
  Noise noise(seed);
  std::vector<double> all;
  double state = noise.normal();
  for (int i = 0; i < values; ++i) {
    state = phi * state + std::sqrt(1 - phi * phi) * noise.normal();
    all.push_back(level(i) * std::exp(deviation * state));
  }
  return all;
}

constexpr auto flat = [](int) { return 1.0; };

TEST_CASE("steps are found at their places with their ratios") {
  const auto steps = [](int i) { return i < 30 ? 1.0 : i < 60 ? 1.05 : 0.98; };
  const auto found = change_points(history(1, 100, 0.005, 0, steps));
  REQUIRE(found.size() == 2);
  CHECK(found[0].index == 30);
  CHECK(found[0].ratio == Approx(1.05).margin(0.005));
  CHECK(found[1].index == 60);
  CHECK(found[1].ratio == Approx(0.98 / 1.05).margin(0.005));
}

TEST_CASE("steps below 1.5 % do not matter, short histories say nothing") {
  CHECK(change_points(history(1, 100, 0.001, 0, [](int i) { return i < 50 ? 1 : 1.01; })).empty());
  CHECK(change_points(std::vector{1.0, 1.0, 2.0, 2.0, 2.0}).empty());
  CHECK(change_points(std::vector<double>()).empty());
  CHECK(change_points(std::vector(50, 1.0)).empty());
}

TEST_CASE("histories without a change have few change points, also autocorrelated ones") {
  constexpr int trials = 1000;
  int independent = 0, correlated = 0, steps = 0;
  for (int trial = 0; trial < trials; ++trial) {
    independent += !change_points(history(trial, 100, 0.007, 0, flat)).empty();
    correlated += !change_points(history(trial, 100, 0.01, 0.5, flat)).empty();
    const auto three_percent = [](int i) { return i < 92 ? 1 : 1.03; };
    steps += !change_points(history(trial, 100, 0.007, 0, three_percent)).empty();
  }
  fmt::print(
      "of {} histories of 100 values: {} of 0.7 % and {} of 1 % with AR(0.5) have a change "
      "point; +3 % is found after eight values in {}\n",
      trials, independent, correlated, steps);
  CHECK(independent <= trials / 100);
  CHECK(correlated <= trials / 20);
  CHECK(steps >= trials * 95 / 100);
}

}  // namespace
}  // namespace steelyard
