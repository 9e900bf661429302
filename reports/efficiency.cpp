// SPDX-License-Identifier: Apache-2.0
#include "reports/efficiency.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include <fmt/format.h>

#include "reports/mean_ratio.h"
#include "reports/relative_tables.h"
#include "reports/roofline.h"
#include "reports/step_fields.h"

namespace steelyard {
namespace {

// FLOP/s, bytes/s or tokens/s: 0 for latencies.
double amount_per_second(const Measurement& m) {
  const Record& row = m.row();
  switch (metric(row)) {
    case Metric::flops:
      return row.flops / m.time.seconds;
    case Metric::bandwidth:
      return row.bytes / m.time.seconds;
    case Metric::tokens:
      return tokens_of_all(row) / m.time.seconds;
    case Metric::latency:
      break;
  }
  return 0;
}

std::string per_joule(const Measurement& m, double joules_per_second) {
  const double amount = amount_per_second(m) / joules_per_second;
  switch (metric(m.row())) {
    case Metric::flops:
      return rate(amount, "FLOP/J");
    case Metric::bandwidth:
      return rate(amount, "B/J");
    default:
      return fmt::format("{:.4g} tokens/J", amount);
  }
}

// Of the datasheet's peak times the clock that the row ran at over the peak's own.
std::optional<double> share_at_clock(const Measurement& m) {
  const Record& row = m.row();
  const Fact* fact = peak(row);
  if (!fact || !fact->clock || !row.clocks.mean_hz) return std::nullopt;
  return *share_of_peak(m) * *fact->clock / *row.clocks.mean_hz;
}

std::optional<double> share_of_achievable(const Measurement& m, const UnderRoofs& device) {
  const Record& row = m.row();
  const bool computes = metric(row) == Metric::flops;
  if (!computes && metric(row) != Metric::bandwidth) return std::nullopt;
  if (!computes && !uses_device_memory(row)) return std::nullopt;
  const auto best =
      std::ranges::find(device.ceilings, computes ? compute_dtype(row) : "", &Ceiling::dtype);
  if (best == device.ceilings.end()) return std::nullopt;
  return amount_per_second(m) / best->per_second;
}

using Text = std::function<std::string(const Measurement&)>;  // empty: not known

// One column of one side; left out where no row fills it.
struct SideColumn {
  std::string heading;
  std::size_t side = 0;
  Text text;
};

// Rows of several families in one table: those with at least one value.
Table by_problem(std::string title, const std::vector<const Comparison*>& comparisons,
                 const std::vector<SideColumn>& columns) {
  Table table{.title = std::move(title), .columns = {{"problem", Align::left}}};
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> is_filled(columns.size());
  for (const Comparison* comparison : comparisons)
    for (const ComparedRow& row : comparison->rows) {
      std::vector<std::string> cells;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const Measurement* m = row.cells[columns[i].side].measurement;
        cells.push_back(m != nullptr ? columns[i].text(*m) : "");
        is_filled[i] = is_filled[i] || !cells.back().empty();
      }
      if (std::ranges::all_of(cells, &std::string::empty)) continue;
      cells.insert(cells.begin(), row.id);
      rows.push_back(std::move(cells));
    }
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (is_filled[i]) table.columns.push_back({columns[i].heading});
  for (const auto& cells : rows) {
    auto& shown = table.rows.emplace_back(std::vector{cells[0]});
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (is_filled[i]) shown.push_back(cells[i + 1].empty() ? "-" : cells[i + 1]);
  }
  return table;
}

std::string share_text(const std::optional<double>& share) {
  return share ? percent(*share) : "";
}

bool has_measured_watts(const Record& run) {
  const Power& power = run.power;
  const bool of_this_unit = power.scope.empty() || power.scope == run.unit;
  return power.valid && of_this_unit && power.watts && *power.watts > 0;
}

}  // namespace

std::optional<Watts> watts(const Measurement& measurement, const Product& product) {
  double sum = 0;
  int runs = 0;
  for (const Record* run : measurement.runs)
    if (has_measured_watts(*run)) {
      sum += *run->power.watts;
      ++runs;
    }
  if (runs > 0) return Watts{sum / runs, true};
  const auto datasheet = datasheet_watts(product);
  return datasheet ? std::optional(Watts{*datasheet, false}) : std::nullopt;
}

std::vector<const Comparison*> widest_comparisons(const Relative& relative) {
  std::vector<const Comparison*> found;
  for (const Comparison& comparison : relative.comparisons) {
    const bool is_new = found.empty() || found.back()->family != comparison.family;
    if (is_new)
      found.push_back(&comparison);
    else if (comparison.tier.empty())
      found.back() = &comparison;
  }
  return found;
}

Table share_table(std::span<const Side> sides, const Relative& relative) {
  std::vector<UnderRoofs> devices;
  for (const Side& side : sides) devices.push_back(under_roofs(side));
  std::vector<SideColumn> columns;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const std::string& label = sides[i].label;
    columns.push_back({label + ": of datasheet", i,
                       [](const Measurement& m) { return share_text(share_of_peak(m)); }});
    columns.push_back({label + ": at its clock", i,
                       [](const Measurement& m) { return share_text(share_at_clock(m)); }});
    columns.push_back({label + ": of achievable", i, [device = &devices[i]](const Measurement& m) {
                         return share_text(share_of_achievable(m, *device));
                       }});
  }
  Table table = by_problem("Share of the peak", widest_comparisons(relative), columns);
  table.notes = {
      "Of each side's fastest kernel. Of datasheet: of the dense peak of the type, or of the "
      "bandwidth. At its clock: of that peak times the measured clock over the one that the peak "
      "is at, where that is known. Of achievable: of the best rate that this device itself reached "
      "here, in any matrix "
      "product of the type, or in reading or streaming memory. Shares of bandwidth are of what the "
      "device's memory moves: not a cache, nor the link to the host."};
  std::ranges::copy(doubts_of_products(sides), std::back_inserter(table.notes));
  return table;
}

Table watt_table(std::span<const Side> sides, const Relative& relative) {
  std::vector<SideColumn> columns;
  for (std::size_t i = 0; i < sides.size(); ++i)
    columns.push_back({sides[i].label, i, [of = product(sides[i])](const Measurement& m) {
                         const auto power = watts(m, of);
                         if (!power || !(amount_per_second(m) > 0)) return std::string();
                         return fmt::format("{} ({} {:.0f} W)", per_joule(m, power->value),
                                            power->is_measured ? "measured" : "TDP", power->value);
                       }});
  Table table = by_problem("Work per joule", widest_comparisons(relative), columns);
  table.notes = {
      "Of each side's fastest kernel. Measured: by the device's sensor while the row ran, where "
      "the "
      "reading was valid. TDP: the datasheet's, of all that works together; a row may take less, "
      "so "
      "the work per joule is at least that. A die of a package has no power of its own."};
  return table;
}

Table watt_mean_table(std::span<const Side> sides, const Relative& relative) {
  const std::size_t reference = relative.reference;
  std::vector<Product> products;
  for (const Side& side : sides) products.push_back(product(side));
  Table table{.title = "Work per joule relative to " + sides[reference].label,
              .columns = {{"family", Align::left},
                          {"kernels", Align::left},
                          {"side", Align::left},
                          {"power", Align::left},
                          {"geometric mean"},
                          {"n"}},
              .notes = {"Measured watts are divided by measured watts alone, a TDP by a TDP."}};
  for (const Comparison* comparison : widest_comparisons(relative))
    for (std::size_t i = 0; i < sides.size(); ++i)
      for (const bool measured : {true, false}) {
        std::vector<Ratio> ratios;
        for (const ComparedRow& row : comparison->rows) {
          if (!row.cells[i].ratio || !(amount_per_second(*row.cells[i].measurement) > 0)) continue;
          const auto base = watts(*row.cells[reference].measurement, products[reference]);
          const auto here = watts(*row.cells[i].measurement, products[i]);
          if (!base || !here || base->is_measured != measured || here->is_measured != measured)
            continue;
          const double factor = base->value / here->value;
          const auto& [value, ci95] = *row.cells[i].ratio;
          ratios.push_back({value * factor, {ci95.lower * factor, ci95.upper * factor}});
        }
        if (!ratios.empty())
          table.rows.push_back({comparison->family, selection(*comparison), sides[i].label,
                                measured ? "measured" : "TDP", factor(mean_ratio(ratios).value),
                                std::to_string(ratios.size())});
      }
  return table;
}

}  // namespace steelyard
