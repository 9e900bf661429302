// SPDX-License-Identifier: Apache-2.0
#include "reports/means.h"

#include <set>

#include <fmt/format.h>

#include "reports/mean_ratio.h"
#include "reports/relative_tables.h"

namespace steelyard {
namespace {

// The type of a row's problem, which all of its cells share.
std::string dtype(const ComparedRow& row) {
  for (const Cell& cell : row.cells)
    if (cell.measurement != nullptr) return std::string(compute_dtype(cell.measurement->row()));
  return "";
}

// What a side and the reference have of the rows of one type, or of all where it is empty.
struct Counted {
  std::vector<Ratio> ratios;
  int reference_lacks = 0, side_lacks = 0, refused = 0;
};

Counted count(const Comparison& comparison, std::size_t reference, std::size_t side,
              const std::string& type) {
  Counted counted;
  for (const ComparedRow& row : comparison.rows) {
    if (!type.empty() && dtype(row) != type) continue;
    const bool has_reference = row.cells[reference].measurement != nullptr;
    const Cell& cell = row.cells[side];
    if (cell.ratio)
      counted.ratios.push_back(*cell.ratio);
    else if (cell.refused)
      ++counted.refused;
    else if (has_reference)
      ++counted.side_lacks;
    else if (cell.measurement != nullptr)
      ++counted.reference_lacks;
  }
  return counted;
}

std::string interval_text(const Interval& interval) {
  return fmt::format("{} to {}", factor(interval.lower), factor(interval.upper));
}

// Mean, the interval of this suite's rows, that of rows like these.
std::vector<std::string> mean_cells(const std::vector<Ratio>& ratios) {
  if (ratios.empty()) return {"-", "-", "-"};
  const MeanRatio mean = mean_ratio(ratios);
  return {factor(mean.value), interval_text(mean.these_rows),
          mean.rows_like_these ? interval_text(*mean.rows_like_these) : "-"};
}

// Each type alone, where a family has several, and then all.
std::vector<std::string> types_of(const Comparison& comparison) {
  std::set<std::string> types;
  for (const ComparedRow& row : comparison.rows) types.insert(dtype(row));
  types.erase("");
  std::vector<std::string> found;
  if (types.size() > 1) found.assign(types.begin(), types.end());
  found.emplace_back();
  return found;
}

std::string type_text(const Comparison& comparison, const std::string& type) {
  return !type.empty() ? type : types_of(comparison).size() > 1 ? "all" : dtype(comparison.rows[0]);
}

}  // namespace

Table mean_table(std::span<const Side> sides, const Relative& relative) {
  Table table{.title = "Speed relative to " + sides[relative.reference].label,
              .columns = {{"family", Align::left},
                          {"type", Align::left},
                          {"kernels", Align::left},
                          {"side", Align::left},
                          {"geometric mean"},
                          {"ci95, this suite"},
                          {"ci95, workloads like these"},
                          {"n"},
                          {"reference lacks"},
                          {"side lacks"},
                          {"refused"}}};
  for (const Comparison& comparison : relative.comparisons)
    for (const std::string& type : types_of(comparison))
      for (std::size_t i = 0; i < sides.size(); ++i) {
        if (i == relative.reference) continue;
        const Counted counted = count(comparison, relative.reference, i, type);
        auto& cells = table.rows.emplace_back(std::vector<std::string>{
            comparison.family, type_text(comparison, type), selection(comparison), sides[i].label});
        const auto mean = mean_cells(counted.ratios);
        cells.insert(cells.end(), mean.begin(), mean.end());
        for (const std::size_t rows :
             {counted.ratios.size(), static_cast<std::size_t>(counted.reference_lacks),
              static_cast<std::size_t>(counted.side_lacks),
              static_cast<std::size_t>(counted.refused)})
          cells.push_back(std::to_string(rows));
      }
  return table;
}

}  // namespace steelyard
