// SPDX-License-Identifier: Apache-2.0
// Two sides of runs, row by row: what became dearer, what did not, and what nobody can say.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reports/differences.h"
#include "reports/noise_card.h"
#include "reports/series.h"
#include "reports/shift.h"
#include "reports/thresholds.h"

namespace steelyard {

// One series that both sides have.
struct Change {
  const Series* base = nullptr;
  const Series* candidate = nullptr;
  Threshold threshold;         // its floor raised to what the noise card says
  double ratio = 1;            // of costs: above 1 is worse, also where higher values are better
  std::optional<Shift> shift;  // null where both sides have one run
  Finding finding = Finding::inconclusive;
  std::string reason;               // of what is inconclusive or allowed
  std::vector<Difference> refused;  // not comparable: the fields, base and candidate

  bool gates() const { return threshold.action == Action::gate; }
  // What a reader is told: "regression", "regression (allowed)", "refused".
  std::string verdict() const;
  bool fails() const;  // a regression that is gated and not allowed
};

// The geometric mean of the ratios of all gated rows that were compared, with two intervals of 95 %:
// of this suite, as if it were measured again, and of other workloads like these.
struct MeanChange {
  int rows = 0;
  double ratio = 1;
  std::optional<Interval> this_suite;       // needs more than one run of every row
  std::optional<Interval> other_workloads;  // needs more than one row
};

struct Changes {
  std::string base, candidate;                                    // RunSet::name
  std::vector<Change> rows;                                       // worst first; refused ones last
  std::vector<std::string> added, missing;                        // rows of one side alone
  std::vector<RowNotMeasured> not_measured_before, not_measured;  // of base, of candidate
  std::optional<MeanChange> mean;
  std::vector<Difference> lifted;  // conditions that differ and were allowed to
};

struct CompareRules {
  Thresholds thresholds;
  NoiseCard noise;
  std::set<std::string> allowed_differences;  // fields of the conditions
  double alpha = 0.01;                        // of a regression, one-sided
};

// What a series costs in each run: its values, inverted where higher ones are better.
std::vector<double> costs(const Series& series, bool higher_is_better);

// Worst first, refused rows last, and the mean anew.
void sort_by_change(Changes& changes);

// Points into the sides.
Changes compare(const RunSet& base, const RunSet& candidate, const CompareRules& rules);

// By the precedence of exit_code.h; `inconclusive_fails` makes inconclusive rows count.
int exit_code(const Changes& changes, bool inconclusive_fails);

}  // namespace steelyard
