// SPDX-License-Identifier: Apache-2.0
// Comparisons on a machine that is not quiet: the contestants take turns, so that a disturbance
// meets all of them, and what counts is the ratio of the times of one round.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace steelyard {

// Seconds of one turn.
using Turn = std::function<double()>;
using Times = std::vector<double>;  // one per round

inline double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The times of each turn, after a round to warm up.
inline std::vector<Times> interleave(int rounds, std::span<const Turn> turns) {
  std::vector<Times> times(turns.size());
  for (int round = -1; round < rounds; ++round)
    for (std::size_t i = 0; i < turns.size(); ++i) {
      const double taken = turns[i]();
      if (round >= 0) times[i].push_back(taken);
    }
  return times;
}

inline double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

// How many times as fast as `theirs` the rounds of `ours` were: "0.985 (0.970 to 1.002)", median
// and quartiles. `factor` makes a ratio of rates of it where the two do not do the same.
inline std::string speed_ratio(const Times& ours, const Times& theirs, double factor = 1) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(factor * theirs[i] / ours[i]);
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", quantile(ratios, 0.5), quantile(ratios, 0.25),
                     quantile(ratios, 0.75));
}

}  // namespace steelyard
