// SPDX-License-Identifier: Apache-2.0
#include "reports/relative_tables.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace steelyard {
namespace {

std::string selection(const Comparison& comparison) {
  return comparison.tier.empty() ? "best of each" : comparison.tier;
}

std::string ratio_text(const Ratio& ratio) {
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", ratio.value, ratio.ci95.lower, ratio.ci95.upper);
}

bool alike_settings(const Comparison& comparison) {
  return std::all_of(comparison.rows.begin(), comparison.rows.end(), [&](const ComparedRow& row) {
    return row.settings == comparison.rows.front().settings;
  });
}

std::vector<Column> columns(std::span<const Side> sides, const Relative& relative,
                            bool with_settings) {
  std::vector<Column> found{{"problem", Align::left}};
  if (with_settings) found.push_back({"fill/cache/mode", Align::left});
  for (std::size_t i = 0; i < sides.size(); ++i) {
    found.push_back({sides[i].label});
    found.push_back({"kernel", Align::left});
    if (i != relative.reference) found.push_back({"ratio [ci95]"});
  }
  return found;
}

void add_cells(std::vector<std::string>& row, const Cell& cell, bool is_reference, bool name_tier) {
  if (const Measurement* measurement = cell.measurement) {
    const Record& record = measurement->row();
    row.push_back(
        fmt::format("{} ± {}", seconds(measurement->time.seconds), half_width(measurement->time)));
    row.push_back(name_tier ? fmt::format("{} ({})", record.kernel, record.tier) : record.kernel);
  } else {
    row.push_back(cell.refused ? "refused" : "-");
    row.push_back("-");
  }
  if (!is_reference) row.push_back(cell.ratio ? ratio_text(*cell.ratio) : "-");
}

std::string mean_note(const Comparison& comparison, std::span<const Side> sides,
                      std::size_t reference, std::size_t side) {
  const Mean& mean = comparison.means[side];
  const std::string what =
      mean.rows ? fmt::format("geometric mean {:.3f} over n = {} rows", mean.ratio, mean.rows)
                : "no row in common";
  return fmt::format("{}: {} ({}); {} lacks {}, {} lacks {}, {} refused.", sides[side].label, what,
                     selection(comparison), sides[reference].label, mean.missing_in_reference,
                     sides[side].label, mean.missing_in_side, mean.refused);
}

// Which library, algorithm or instruction set stands behind a kernel's name.
std::set<std::string> details(const Comparison& comparison, std::span<const Side> sides) {
  std::set<std::string> found;
  for (const auto& row : comparison.rows)
    for (std::size_t i = 0; i < sides.size(); ++i) {
      const Measurement* measurement = row.cells[i].measurement;
      if (measurement && !measurement->row().detail.empty())
        found.insert(fmt::format("{}: {} is {}.", sides[i].label, measurement->row().kernel,
                                 measurement->row().detail));
    }
  return found;
}

Table comparison_table(const Comparison& comparison, std::span<const Side> sides,
                       const Relative& relative) {
  const bool with_settings = !alike_settings(comparison);
  Table table{.title = comparison.family + ": " + selection(comparison),
              .columns = columns(sides, relative, with_settings)};
  for (const auto& row : comparison.rows) {
    auto& cells = table.rows.emplace_back(std::vector{row.id});
    if (with_settings) cells.push_back(row.settings);
    for (std::size_t i = 0; i < sides.size(); ++i)
      add_cells(cells, row.cells[i], i == relative.reference, comparison.tier.empty());
  }
  for (std::size_t i = 0; i < sides.size(); ++i)
    if (i != relative.reference)
      table.notes.push_back(mean_note(comparison, sides, relative.reference, i));
  for (const auto& detail : details(comparison, sides)) table.notes.push_back(detail);
  return table;
}

std::string number(double value) {
  return fmt::format("{}", value);
}

std::vector<std::string> data_cells(const Cell& cell) {
  if (!cell.measurement) return std::vector<std::string>(8, "");
  const Record& record = cell.measurement->row();
  const auto& [seconds, ci95] = cell.measurement->time;
  std::vector<std::string> cells{record.kernel, record.tier, number(seconds), number(ci95.lower),
                                 number(ci95.upper)};
  if (cell.ratio)
    cells.insert(cells.end(), {number(cell.ratio->value), number(cell.ratio->ci95.lower),
                               number(cell.ratio->ci95.upper)});
  cells.resize(8);
  return cells;
}

}  // namespace

Table condition_table(std::span<const Side> sides, const Relative& relative) {
  Table table{.title = "Conditions that differ", .columns = {{"field", Align::left}}};
  for (const auto& side : sides) table.columns.push_back({side.label, Align::left});
  table.columns.push_back({"rows"});
  for (const auto& difference : relative.conditions) {
    auto& row = table.rows.emplace_back(std::vector{difference.field});
    row.insert(row.end(), difference.values.begin(), difference.values.end());
    row.push_back(std::to_string(difference.rows));
  }
  return table;
}

std::vector<Table> comparison_tables(std::span<const Side> sides, const Relative& relative) {
  std::vector<Table> tables;
  for (const auto& comparison : relative.comparisons)
    tables.push_back(comparison_table(comparison, sides, relative));
  return tables;
}

Table refusal_table(std::span<const Side> sides, const Relative& relative) {
  Table table{.title = "Refused",
              .columns = {{"problem", Align::left},
                          {"tier", Align::left},
                          {"side", Align::left},
                          {"field", Align::left},
                          {"reference", Align::left},
                          {"here", Align::left}}};
  for (const auto& comparison : relative.comparisons)
    for (const auto& refusal : comparison.refusals)
      for (const auto& field : refusal.fields)
        table.rows.push_back({refusal.other->row().id, selection(comparison),
                              sides[refusal.side].label, field.field, field.values[0],
                              field.values[1]});
  return table;
}

Table relative_data(std::span<const Side> sides, const Relative& relative) {
  Table table{.columns = {{"family"},
                          {"selection"},
                          {"problem"},
                          {"fill/cache/mode"},
                          {"side"},
                          {"state"},
                          {"kernel"},
                          {"tier"},
                          {"median_seconds"},
                          {"ci95_lower_seconds"},
                          {"ci95_upper_seconds"},
                          {"ratio"},
                          {"ratio_ci95_lower"},
                          {"ratio_ci95_upper"}}};
  for (const auto& comparison : relative.comparisons)
    for (const auto& row : comparison.rows)
      for (std::size_t i = 0; i < sides.size(); ++i) {
        const Cell& cell = row.cells[i];
        const char* state = cell.refused ? "refused" : cell.measurement ? "measured" : "missing";
        auto& cells = table.rows.emplace_back(std::vector<std::string>{
            comparison.family, selection(comparison), row.id, row.settings, sides[i].label,
            i == relative.reference && cell.measurement ? "reference" : state});
        const auto data = data_cells(cell);
        cells.insert(cells.end(), data.begin(), data.end());
      }
  return table;
}

}  // namespace steelyard
