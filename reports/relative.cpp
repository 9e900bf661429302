// SPDX-License-Identifier: Apache-2.0
#include "reports/relative.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "reports/natural_order.h"

namespace steelyard {
namespace {

struct RowKey {
  std::string id, settings;

  bool operator<(const RowKey& other) const {
    if (id != other.id) return natural_less(id, other.id);
    return settings < other.settings;
  }
};

using Candidates = std::vector<std::vector<const Measurement*>>;  // by side

bool faster(const Measurement* a, const Measurement* b) {
  return a->time.seconds < b->time.seconds;
}

const Measurement* fastest(const std::vector<const Measurement*>& of) {
  const auto found = std::min_element(of.begin(), of.end(), faster);
  return found == of.end() ? nullptr : *found;
}

std::string identity(const Measurement& measurement) {
  const auto& identity = measurement.row().identity;
  return identity ? identity->key : "";
}

const Measurement* fastest_with(const std::vector<const Measurement*>& of, const std::string& key) {
  std::vector<const Measurement*> alike;
  std::copy_if(of.begin(), of.end(), std::back_inserter(alike),
               [&](const Measurement* m) { return identity(*m) == key; });
  return fastest(alike);
}

// The rows of a family that one tier (or any, when empty) has, by what joins them.
std::map<RowKey, Candidates> joined(std::span<const Side> sides, const std::string& family,
                                    const std::string& tier) {
  std::map<RowKey, Candidates> rows;
  for (std::size_t i = 0; i < sides.size(); ++i)
    for (const auto& measurement : sides[i].measurements) {
      const Record& row = measurement.row();
      if (row.family != family || (!tier.empty() && row.tier != tier)) continue;
      auto& candidates = rows[{row.id, settings(row)}];
      candidates.resize(sides.size());
      candidates[i].push_back(&measurement);
    }
  return rows;
}

// Adds a row whose cells are each side's fastest kernel among those that may be compared.
void relate_row(const RowKey& key, const Candidates& candidates, std::size_t reference,
                Comparison& comparison) {
  ComparedRow row{key.id, key.settings, std::vector<Cell>(candidates.size())};
  const Measurement* base = row.cells[reference].measurement = fastest(candidates[reference]);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i == reference) continue;
    Cell& cell = row.cells[i];
    const Measurement* best = fastest(candidates[i]);
    cell.measurement = base ? fastest_with(candidates[i], identity(*base)) : best;
    if (base && cell.measurement) {
      cell.ratio = speed_ratio(*base, *cell.measurement);
    } else if (base && best) {
      cell.refused = true;
      const auto fields = differences({{base->row().identity}, {best->row().identity}});
      comparison.refusals.push_back({i, base, best, fields});
    }
  }
  comparison.rows.push_back(std::move(row));
}

Comparison compare(std::span<const Side> sides, std::size_t reference, const std::string& family,
                   const std::string& tier) {
  Comparison comparison{.family = family, .tier = tier};
  for (const auto& [key, candidates] : joined(sides, family, tier))
    relate_row(key, candidates, reference, comparison);
  return comparison;
}

// The families and the tiers that each has on any side.
std::map<std::string, std::set<std::string>> families(std::span<const Side> sides) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto& side : sides)
    for (const auto& measurement : side.measurements)
      found[measurement.row().family].insert(measurement.row().tier);
  return found;
}

// "" is the best of each side; with a single named tier it would repeat that tier's table.
std::vector<std::string> selections(const std::set<std::string>& tiers) {
  std::vector<std::string> found;
  if (tiers.contains("library")) found.push_back("library");
  const bool only_named =
      tiers == std::set<std::string>{"library"} || tiers == std::set<std::string>{"portable"};
  if (!only_named) found.push_back("");
  if (tiers.contains("portable")) found.push_back("portable");
  return found;
}

bool has_ratio(const ComparedRow& row) {
  return std::any_of(row.cells.begin(), row.cells.end(),
                     [](const Cell& cell) { return cell.ratio.has_value(); });
}

std::vector<Difference> differences_of(const std::vector<const Measurement*>& row) {
  std::vector<std::vector<std::shared_ptr<const Comparability>>> columns;
  for (const Measurement* measurement : row) {
    auto& column = columns.emplace_back();
    if (!measurement) continue;
    for (const Record* run : measurement->runs) column.push_back(run->conditions);
  }
  return differences(columns);
}

// Counts every compared row once, although a kernel may be the best of its tier and of its side.
std::vector<Difference> condition_differences(const std::vector<Comparison>& comparisons) {
  std::set<std::vector<const Measurement*>> rows;
  for (const auto& comparison : comparisons)
    for (const auto& row : comparison.rows) {
      if (!has_ratio(row)) continue;
      std::vector<const Measurement*> measured;
      for (const auto& cell : row.cells) measured.push_back(cell.measurement);
      rows.insert(std::move(measured));
    }
  std::map<std::pair<std::string, std::vector<std::string>>, int> counts;
  for (const auto& row : rows)
    for (const auto& difference : differences_of(row))
      ++counts[{difference.field, difference.values}];
  std::vector<Difference> found;
  for (const auto& [difference, count] : counts)
    found.push_back({difference.first, difference.second, count});
  return found;
}

}  // namespace

Ratio speed_ratio(const Estimate& reference, const Estimate& other) {
  const auto log_ratio = [](double a, double b) { return std::log(a / b); };
  const double below = std::hypot(log_ratio(reference.seconds, reference.ci95.lower),
                                  log_ratio(other.ci95.upper, other.seconds));
  const double above = std::hypot(log_ratio(reference.ci95.upper, reference.seconds),
                                  log_ratio(other.seconds, other.ci95.lower));
  const double value = reference.seconds / other.seconds;
  return {value, {value * std::exp(-below), value * std::exp(above)}};
}

Ratio speed_ratio(const Measurement& reference, const Measurement& other) {
  const double more = problems_at_once(other.row()) / problems_at_once(reference.row());
  const Ratio ratio = speed_ratio(reference.time, other.time);
  return {ratio.value * more, {ratio.ci95.lower * more, ratio.ci95.upper * more}};
}

Relative relate(std::span<const Side> sides, std::size_t reference) {
  Relative relative{.reference = reference};
  for (const auto& [family, tiers] : families(sides))
    for (const auto& tier : selections(tiers))
      relative.comparisons.push_back(compare(sides, reference, family, tier));
  relative.conditions = condition_differences(relative.comparisons);
  return relative;
}

bool anything_compared(const Relative& relative) {
  return std::ranges::any_of(relative.comparisons, [](const Comparison& comparison) {
    return std::ranges::any_of(comparison.rows, has_ratio);
  });
}

std::vector<Ratio> ratios(const Comparison& comparison, std::size_t side) {
  std::vector<Ratio> found;
  for (const ComparedRow& row : comparison.rows)
    if (row.cells[side].ratio) found.push_back(*row.cells[side].ratio);
  return found;
}

}  // namespace steelyard
