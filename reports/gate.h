// SPDX-License-Identifier: Apache-2.0
// The sequential test of a gate: few runs where a row is clear, more where it is not, and fresh ones
// before anything is called a regression. STATISTICS.md has its error rates.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "reports/compare.h"

namespace steelyard {

struct Look {
  int runs = 0;  // a side
  double alpha = 0;
};
inline constexpr std::array looks = {Look{5, 0.004}, Look{10, 0.003}, Look{15, 0.003}};
inline constexpr Look confirmation = {10, 0.01};

// What the runs so far say of one row.
struct Standing {
  std::optional<Finding> finding;  // null: undecided until `runs_needed`
  int runs_needed = 0;             // a side
  int looked_at = 0;               // runs a side at the last look, without those that confirm
  bool suspected = false;          // a look found a regression, which fresh runs have to confirm
  std::optional<Shift> shift;      // of the runs that the last look was at
};

// Costs in the order of their runs. The looks are at the first runs; those after the look that found
// a regression are the fresh ones.
Standing standing(std::span<const double> base, std::span<const double> candidate,
                  const Limits& limits);

// As compare() does, with the verdicts of the sequential test. Rows that the test has not decided
// are inconclusive, for `unfinished`. `open` gets the rows that need more runs.
Changes judge_gate(const RunSet& base, const RunSet& candidate, const CompareRules& rules,
                   const std::string& unfinished, std::set<std::string>& open);

// Runs of one session against the level of stored ones, one value of each, in the place of a baseline
// program: Student's t prediction interval, s sqrt(1 + 1/n) of n stored values, since what differs
// between days is in the candidate's mean as well, however many runs it has. Finds less than a gate
// with both programs does.
inline constexpr int fewest_stored = 5;
Changes judge_against_history(const RunSet& stored, const RunSet& candidate,
                              const CompareRules& rules);

}  // namespace steelyard
