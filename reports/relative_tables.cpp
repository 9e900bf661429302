// SPDX-License-Identifier: Apache-2.0
#include "reports/relative_tables.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/efficiency.h"
#include "reports/sources.h"

namespace steelyard {

std::string selection(const Comparison& comparison) {
  return comparison.tier.empty() ? "best of each" : comparison.tier;
}

std::string factor(double value) {
  return value >= 0.01 && value < 1000 ? fmt::format("{:.3f}", value)
                                       : fmt::format("{:.1e}", value);
}

namespace {

std::string ratio_text(const Ratio& ratio) {
  return fmt::format("{} ({} to {})", factor(ratio.value), factor(ratio.ci95.lower),
                     factor(ratio.ci95.upper));
}

std::string kernel_text(const Measurement& measurement, bool name_tier) {
  const Record& record = measurement.row();
  return name_tier ? fmt::format("{} ({})", record.kernel, record.tier) : record.kernel;
}

// The only kernel of a side, which needs no column; nothing when there are several.
std::optional<std::string> only_kernel(const Comparison& comparison, std::size_t side) {
  std::set<std::string> found;
  for (const auto& row : comparison.rows)
    if (const Measurement* measurement = row.cells[side].measurement)
      found.insert(kernel_text(*measurement, comparison.tier.empty()));
  if (found.size() > 1) return std::nullopt;
  return found.empty() ? "nothing" : *found.begin();
}

bool alike_settings(const Comparison& comparison) {
  return std::all_of(comparison.rows.begin(), comparison.rows.end(), [&](const ComparedRow& row) {
    return row.settings == comparison.rows.front().settings;
  });
}

// One column of a comparison.
struct Part {
  Column column;
  std::function<std::string(const ComparedRow&)> cell;
};

std::string time_text(const Cell& cell) {
  if (!cell.measurement) return cell.refused ? "refused" : "-";
  const Estimate& time = cell.measurement->time;
  const char* mark = flags(*cell.measurement).empty() ? "" : " †";
  return fmt::format("{} ± {}{}", seconds(time.seconds), half_width(time), mark);
}

void add_side(std::vector<Part>& parts, const Comparison& comparison, const std::string& label,
              std::size_t side, bool is_reference) {
  parts.push_back({{label}, [=](const ComparedRow& row) { return time_text(row.cells[side]); }});
  if (!only_kernel(comparison, side))
    parts.push_back(
        {{"kernel", Align::left}, [=, name_tier = comparison.tier.empty()](const ComparedRow& row) {
           const Measurement* measurement = row.cells[side].measurement;
           return measurement ? kernel_text(*measurement, name_tier) : "-";
         }});
  if (!is_reference)
    parts.push_back({{"ratio (ci95)"}, [=](const ComparedRow& row) {
                       const auto& ratio = row.cells[side].ratio;
                       return ratio ? ratio_text(*ratio) : "-";
                     }});
}

// "Kernel: packed." or "Kernels: tile on Alpha; packed on Beta." of the sides without a column.
std::optional<std::string> kernel_note(const Comparison& comparison, std::span<const Side> sides) {
  std::vector<std::string> texts;
  std::set<std::string> kernels;
  for (std::size_t i = 0; i < sides.size(); ++i)
    if (const auto kernel = only_kernel(comparison, i)) {
      kernels.insert(*kernel);
      texts.push_back(fmt::format("{} on {}", *kernel, sides[i].label));
    }
  if (texts.empty()) return std::nullopt;
  if (texts.size() == sides.size() && kernels.size() == 1)
    return fmt::format("Kernel: {}.", *kernels.begin());
  return fmt::format("Kernels: {}.", fmt::join(texts, "; "));
}

// "MI250: 2 devices, each with a problem of its own."
std::optional<std::string> together_note(const Comparison& comparison,
                                         std::span<const Side> sides) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < sides.size(); ++i)
    for (const auto& row : comparison.rows)
      if (const Measurement* m = row.cells[i].measurement; m && !m->row().together.empty()) {
        texts.push_back(fmt::format("{} of {}", m->row().together.size(), sides[i].label));
        break;
      }
  if (texts.empty()) return std::nullopt;
  return fmt::format(
      "Together at once, each with a problem of its own: {}. Ratios count all of them; latencies "
      "one.",
      fmt::join(texts, "; "));
}

bool any_flagged(const Comparison& comparison) {
  for (const auto& row : comparison.rows)
    for (const auto& cell : row.cells)
      if (cell.measurement && !flags(*cell.measurement).empty()) return true;
  return false;
}

Table comparison_table(const Comparison& comparison, std::span<const Side> sides,
                       std::size_t reference) {
  Table table{.title = comparison.family + ": " + selection(comparison)};
  std::vector<Part> parts{
      {{"problem", Align::left}, [](const ComparedRow& row) { return row.id; }}};
  if (alike_settings(comparison))
    table.notes.push_back("All rows: " + comparison.rows.front().settings + " (fill/cache/mode).");
  else
    parts.push_back(
        {{"fill/cache/mode", Align::left}, [](const ComparedRow& row) { return row.settings; }});
  for (std::size_t i = 0; i < sides.size(); ++i)
    add_side(parts, comparison, sides[i].label, i, i == reference);
  if (any_flagged(comparison))
    table.notes.push_back(
        "† is not converged, has drifted or is otherwise flagged: the report of that result alone "
        "says how.");
  if (const auto note = kernel_note(comparison, sides)) table.notes.push_back(*note);
  if (const auto note = together_note(comparison, sides)) table.notes.push_back(*note);
  for (const auto& part : parts) table.columns.push_back(part.column);
  for (const auto& row : comparison.rows) {
    auto& cells = table.rows.emplace_back();
    for (const auto& part : parts) cells.push_back(part.cell(row));
  }
  return table;
}

// As many digits as two implementations of log and exp agree on.
std::string number(double value) {
  return fmt::format("{:.12g}", value);
}

std::vector<std::string> data_cells(const Cell& cell, const Product& of) {
  std::vector<std::string> cells;
  if (cell.measurement != nullptr) {
    const Record& record = cell.measurement->row();
    const auto& [seconds, ci95] = cell.measurement->time;
    cells = {record.kernel, record.tier, number(seconds), number(ci95.lower), number(ci95.upper)};
    cells.resize(8);
    const auto share = share_of_peak(*cell.measurement);
    const auto power = watts(*cell.measurement, of);
    cells.push_back(share ? number(*share) : "");
    cells.push_back(power ? number(power->value) : "");
    cells.emplace_back(!power ? "" : power->is_measured ? "measured" : "TDP");
    cells.push_back(files_of(*cell.measurement));
    cells.push_back(hashes_of(*cell.measurement));
  }
  if (cell.ratio) {
    cells[5] = number(cell.ratio->value);
    cells[6] = number(cell.ratio->ci95.lower);
    cells[7] = number(cell.ratio->ci95.upper);
  }
  cells.resize(13);
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
  if (table.rows.empty()) table = {.title = table.title, .notes = {"None in the compared rows."}};
  return table;
}

Table kernel_table(std::span<const Side> sides) {
  using Kernel = std::tuple<int, std::string, std::string, std::string>;
  std::map<Kernel, std::vector<std::string>> found;
  for (const auto& side : sides)
    for (const auto& measurement : side.measurements) {
      const Record& row = measurement.row();
      if (row.detail.empty()) continue;
      auto& labels = found[{tier_rank(row.tier), row.tier, row.kernel, row.detail}];
      if (labels.empty() || labels.back() != side.label) labels.push_back(side.label);
    }
  Table table{.title = "Kernels",
              .columns = {{"kernel", Align::left},
                          {"tier", Align::left},
                          {"sides", Align::left},
                          {"detail", Align::left}}};
  for (const auto& [kernel, labels] : found) {
    const auto& [rank, tier, name, detail] = kernel;
    const bool everywhere = labels.size() == sides.size();
    table.rows.push_back(
        {name, tier, everywhere ? "all" : fmt::format("{}", fmt::join(labels, ", ")), detail});
  }
  return table;
}

std::vector<Table> comparison_tables(std::span<const Side> sides, const Relative& relative) {
  std::vector<Table> tables;
  for (const auto& comparison : relative.comparisons)
    tables.push_back(comparison_table(comparison, sides, relative.reference));
  return tables;
}

Table refusal_table(std::span<const Side> sides, const Relative& relative) {
  Table table{.title = "Refused",
              .columns = {{"problem", Align::left},
                          {"reference's kernel", Align::left},
                          {"side", Align::left},
                          {"kernel", Align::left},
                          {"field", Align::left},
                          {"reference", Align::left},
                          {"here", Align::left}}};
  std::set<std::pair<const Measurement*, const Measurement*>> seen;  // in several selections
  for (const auto& comparison : relative.comparisons)
    for (const auto& refusal : comparison.refusals) {
      if (!seen.insert({refusal.reference, refusal.other}).second) continue;
      for (const auto& field : refusal.fields)
        table.rows.push_back({refusal.other->row().id, refusal.reference->row().kernel,
                              sides[refusal.side].label, refusal.other->row().kernel, field.field,
                              field.values[0], field.values[1]});
    }
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
                          {"ratio_ci95_upper"},
                          {"share_of_datasheet_peak"},
                          {"watts"},
                          {"power"},
                          {"file"},
                          {"sha256"}}};
  for (const auto& comparison : relative.comparisons)
    for (const auto& row : comparison.rows)
      for (std::size_t i = 0; i < sides.size(); ++i) {
        const Cell& cell = row.cells[i];
        const char* state = cell.refused ? "refused" : cell.measurement ? "measured" : "missing";
        auto& cells = table.rows.emplace_back(std::vector<std::string>{
            comparison.family, selection(comparison), row.id, row.settings, sides[i].label,
            i == relative.reference && cell.measurement ? "reference" : state});
        const auto data = data_cells(cell, product(sides[i]));
        cells.insert(cells.end(), data.begin(), data.end());
      }
  return table;
}

}  // namespace steelyard
