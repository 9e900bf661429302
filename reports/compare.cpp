// SPDX-License-Identifier: Apache-2.0
#include "reports/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "reports/exit_code.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

using Place = std::pair<std::string, std::string>;  // row and metric

std::map<Place, const Series*> by_place(const RunSet& side) {
  std::map<Place, const Series*> places;
  for (const Series& series : side.series) places[{series.row, series.metric}] = &series;
  return places;
}

bool agree(const std::vector<std::shared_ptr<const Comparability>>& a,
           const std::vector<std::shared_ptr<const Comparability>>& b) {
  return a.size() <= 1 && b.size() <= 1 && a.size() == b.size() &&
         (a.empty() || a.front()->key == b.front()->key);
}

class Comparer {
 public:
  explicit Comparer(const CompareRules& rules) : rules_(rules) {}

  Change compare(const Series& base, const Series& candidate) {
    Change change{
        .base = &base, .candidate = &candidate, .threshold = rules_.thresholds.of(candidate)};
    Limits& limits = change.threshold.limits;
    limits.floor = std::max(limits.floor, rules_.noise.floor(candidate.row));
    change.refused = refusals(base, candidate);
    if (change.refused.empty()) decide(change);
    return change;
  }

  std::vector<Difference> lifted;

 private:
  std::vector<Difference> refusals(const Series& base, const Series& candidate) {
    std::vector<Difference> refused;
    if (!agree(base.identities, candidate.identities))
      refused = differences({base.identities, candidate.identities});
    if (agree(base.conditions, candidate.conditions)) return refused;
    for (Difference& difference : differences({base.conditions, candidate.conditions})) {
      if (rules_.allowed_differences.contains(difference.field))
        lift(std::move(difference));
      else
        refused.push_back(std::move(difference));
    }
    return refused;
  }

  void lift(Difference difference) {
    const auto known = std::ranges::find_if(lifted, [&](const Difference& other) {
      return other.field == difference.field && other.values == difference.values;
    });
    known == lifted.end() ? lifted.push_back(std::move(difference)) : void(++known->rows);
  }

  void decide(Change& change) const {
    const bool higher = change.threshold.higher_is_better;
    const auto base = costs(*change.base, higher), candidate = costs(*change.candidate, higher);
    if (base.size() + candidate.size() < 3) {
      change.ratio = candidate.front() / base.front();
    } else {
      change.shift = shift(base, candidate);
      change.ratio = change.shift->ratio();
    }
    const Limits& limits = change.threshold.limits;
    if (std::min(base.size(), candidate.size()) < 2) {
      change.reason = "one run a side: how much runs differ is not known";
      return;
    }
    change.finding = judge(*change.shift, limits, rules_.alpha);
    if (change.finding == Finding::inconclusive)
      change.reason = fmt::format(
          "neither an increase above {:.1f} % shown nor one of {:.1f} % "
          "ruled out",
          100 * limits.floor, 100 * limits.target);
    if (change.finding == Finding::regression) change.reason = change.threshold.allowed_because;
  }

  const CompareRules& rules_;
};

bool is_worse(const Change& a, const Change& b) {
  if (a.refused.empty() != b.refused.empty()) return a.refused.empty();
  return a.ratio > b.ratio;
}

std::optional<MeanChange> mean_of(const std::vector<Change>& changes) {
  std::vector<double> logs;
  double squares_of_errors = 0, least_degrees = std::numeric_limits<double>::infinity();
  for (const Change& change : changes) {
    if (!change.refused.empty() || !change.gates()) continue;
    logs.push_back(std::log(change.ratio));
    const Shift shift = change.shift.value_or(Shift());
    squares_of_errors += shift.standard_error * shift.standard_error;
    least_degrees = std::min(least_degrees, shift.degrees_of_freedom);
  }
  if (logs.empty()) return std::nullopt;
  const auto n = static_cast<double>(logs.size());
  const double centre = std::accumulate(logs.begin(), logs.end(), 0.0) / n;
  const auto around = [&](double half) {
    return Interval{.lower = std::exp(centre - half), .upper = std::exp(centre + half)};
  };
  MeanChange mean{.rows = static_cast<int>(logs.size()), .ratio = std::exp(centre)};
  if (least_degrees > 0)
    mean.this_suite =
        around(student_t_quantile(0.975, least_degrees) * std::sqrt(squares_of_errors) / n);
  if (n > 1) {
    double squares = 0;
    for (const double log : logs) squares += (log - centre) * (log - centre);
    mean.other_workloads =
        around(student_t_quantile(0.975, n - 1) * std::sqrt(squares / (n - 1) / n));
  }
  return mean;
}

int code_of(Status status) {
  if (status == Status::incorrect || status == Status::implausible) return incorrect_rows;
  return status == Status::failed ? device_error : passed;
}

}  // namespace

std::vector<double> costs(const Series& series, bool higher_is_better) {
  std::vector<double> costs = series.values;
  if (higher_is_better)
    for (double& cost : costs) cost = 1 / cost;
  return costs;
}

void sort_by_change(Changes& changes) {
  std::ranges::stable_sort(changes.rows, is_worse);
  changes.mean = mean_of(changes.rows);
}

std::string Change::verdict() const {
  if (!refused.empty()) return "refused";
  const bool allowed = finding == Finding::regression && !threshold.allowed_because.empty();
  return std::string(name(finding)) + (allowed ? " (allowed)" : "");
}

bool Change::fails() const {
  return gates() && verdict() == name(Finding::regression);
}

Changes compare(const RunSet& base, const RunSet& candidate, const CompareRules& rules) {
  Changes changes{.base = base.name,
                  .candidate = candidate.name,
                  .not_measured_before = base.not_measured,
                  .not_measured = candidate.not_measured};
  Comparer comparer(rules);
  const auto before = by_place(base), after = by_place(candidate);
  const auto tried = [&](const std::string& row) {
    return std::ranges::count(candidate.not_measured, row, &RowNotMeasured::row) > 0;
  };
  for (const auto& [place, series] : after) {
    const auto found = before.find(place);
    if (!rules.thresholds.of(*series).compared) continue;
    if (found != before.end())
      changes.rows.push_back(comparer.compare(*found->second, *series));
    else
      changes.added.push_back(place.first);
  }
  for (const auto& [place, series] : before)
    if (place.second == "time" && !after.contains(place) && !tried(place.first))
      changes.missing.push_back(place.first);
  sort_by_change(changes);
  changes.lifted = std::move(comparer.lifted);
  return changes;
}

int exit_code(const Changes& changes, bool inconclusive_fails) {
  int code = passed;
  bool compared = false;
  for (const RowNotMeasured& row : changes.not_measured) code = stronger(code, code_of(row.status));
  for (const Change& change : changes.rows) {
    compared = compared || change.refused.empty();
    if (!change.gates()) continue;
    if (!change.refused.empty())
      code = stronger(code, incomparable);
    else if (change.fails())
      code = stronger(code, regression);
    else if (change.finding == Finding::inconclusive && inconclusive_fails)
      code = stronger(code, steelyard::inconclusive);
  }
  return compared ? code : stronger(code, incomparable);
}

}  // namespace steelyard
