// SPDX-License-Identifier: Apache-2.0
// How far the runs of a row lie from those of its baseline, and what that decides. STATISTICS.md
// explains the rules and gives their error rates.
#pragma once

#include <span>

#include "reports/record.h"

namespace steelyard {

// From the pooled-variance t statistic of the logarithms. The run is the unit: samples of one run
// share its luck.
struct Shift {
  int base_runs = 0, candidate_runs = 0;
  double log_ratio = 0;       // of the candidate's geometric mean over the baseline's
  double standard_error = 0;  // of log_ratio
  double deviation = 0;       // of the runs of one side, relative
  double degrees_of_freedom = 0;

  double ratio() const;
  Interval ci95() const;  // of the ratio
  // One-sided p-value of "the candidate's true ratio is at most `bound`".
  double p_above(double bound) const;
  // The change that a test at 1 % finds with 95 % probability at this deviation and number of runs.
  double smallest_detectable() const;
};

// Costs, positive: less is better. Needs two runs on one side and one on the other at least.
Shift shift(std::span<const double> base, std::span<const double> candidate);

double smallest_detectable(double deviation, int runs_a_side);

// Changes that matter: up to `floor` none is a regression, and a row passes only when one of
// `target` is ruled out. Both relative: 0.03 is 3 %.
struct Limits {
  double target = 0.03, floor = 0.015;
};

enum class Finding { regression, improvement, pass, inconclusive };
std::string_view name(Finding finding);

// Regression: dearer by more than the floor, and significantly so at `alpha`, one-sided.
// Improvement: the same, cheaper. Pass: an increase of `target` is ruled out at 2.5 %. Else
// inconclusive.
Finding judge(const Shift& shift, const Limits& limits, double alpha);

}  // namespace steelyard
