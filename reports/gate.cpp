// SPDX-License-Identifier: Apache-2.0
#include "reports/gate.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/statistics.h"

namespace steelyard {
namespace {

// Fresh runs decide: the look that raised the suspicion does not count again.
void confirm(Standing& now, std::span<const double> base, std::span<const double> candidate,
             const Limits& limits) {
  const auto from = static_cast<std::size_t>(now.looked_at);
  const auto fresh = static_cast<std::size_t>(confirmation.runs);
  now.suspected = true;
  now.runs_needed = now.looked_at + confirmation.runs;
  if (std::min(base.size(), candidate.size()) < from + fresh) return;
  now.shift = shift(base.subspan(from, fresh), candidate.subspan(from, fresh));
  now.finding = judge(*now.shift, limits, confirmation.alpha);
}

void apply(const Standing& now, const std::string& unfinished, Change& change) {
  change.finding = now.finding.value_or(Finding::inconclusive);
  if (now.shift) {
    change.shift = now.shift;
    change.ratio = now.shift->ratio();
  }
  if (!now.finding)
    change.reason = unfinished;
  else if (change.finding == Finding::inconclusive && now.suspected)
    change.reason = fmt::format("a regression after {} runs that {} fresh ones do not confirm",
                                now.looked_at, confirmation.runs);
  else if (change.finding == Finding::inconclusive)
    change.reason = fmt::format("undecided after {} runs a side: they differ by {:.1f} %",
                                now.looked_at, 100 * change.shift->deviation);
  else
    change.reason = change.finding == Finding::regression ? change.threshold.allowed_because : "";
}

}  // namespace

Standing standing(std::span<const double> base, std::span<const double> candidate,
                  const Limits& limits) {
  Standing now;
  for (const Look& look : looks) {
    now.runs_needed = look.runs;
    const auto runs = static_cast<std::size_t>(look.runs);
    if (std::min(base.size(), candidate.size()) < runs) return now;
    now.looked_at = look.runs;
    now.shift = shift(base.first(runs), candidate.first(runs));
    const Finding finding = judge(*now.shift, limits, look.alpha);
    if (finding == Finding::regression) {
      confirm(now, base, candidate, limits);
      return now;
    }
    if (finding != Finding::inconclusive) {
      now.finding = finding;
      return now;
    }
  }
  now.finding = Finding::inconclusive;
  return now;
}

Changes judge_gate(const RunSet& base, const RunSet& candidate, const CompareRules& rules,
                   const std::string& unfinished, std::set<std::string>& open) {
  Changes changes = compare(base, candidate, rules);
  open.clear();
  for (Change& change : changes.rows) {
    if (!change.refused.empty()) continue;
    const bool higher = change.threshold.higher_is_better;
    const Standing now = standing(costs(*change.base, higher), costs(*change.candidate, higher),
                                  change.threshold.limits);
    apply(now, unfinished, change);
    const bool failed =
        std::ranges::count(changes.not_measured, change.candidate->row, &RowNotMeasured::row) > 0;
    if (!now.finding && !failed && change.threshold.action != Action::track)
      open.insert(change.candidate->row);
  }
  sort_by_change(changes);
  return changes;
}

Changes judge_against_history(const RunSet& stored, const RunSet& candidate,
                              const CompareRules& rules) {
  Changes changes = compare(stored, candidate, rules);
  for (Change& change : changes.rows) {
    if (!change.refused.empty()) continue;
    const bool higher = change.threshold.higher_is_better;
    const auto before = costs(*change.base, higher);
    change.finding = Finding::inconclusive;
    change.reason = fmt::format("{} stored values: {} are needed", before.size(), fewest_stored);
    if (static_cast<int>(before.size()) < fewest_stored) continue;
    Shift shift = steelyard::shift(before, costs(*change.candidate, higher));
    shift.deviation = log_deviation(before);
    shift.degrees_of_freedom = static_cast<double>(before.size()) - 1;
    shift.standard_error = shift.deviation * std::sqrt(1 + 1 / static_cast<double>(before.size()));
    change.shift = shift;
    change.finding = judge(shift, change.threshold.limits, rules.alpha);
    change.reason = change.finding == Finding::inconclusive
                        ? fmt::format("stored values differ by {:.1f} %", 100 * shift.deviation)
                        : std::string();
    if (change.finding == Finding::regression) change.reason = change.threshold.allowed_because;
  }
  return changes;
}

}  // namespace steelyard
