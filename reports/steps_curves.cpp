// SPDX-License-Identifier: Apache-2.0
// How speed grows with a size.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "reports/step_fields.h"
#include "reports/steps.h"

namespace steelyard {
namespace {

// Twice the size brings half as much again, or less: the curve has bent.
constexpr double bent = 1.5;

// What a doubling brings up to a point of a curve, from the last one that is well below it: of neighbours
// that are closer, noise would be raised to a high power.
std::optional<double> gain_per_doubling(std::span<const std::pair<double, double>> curve,
                                        std::size_t point) {
  constexpr double well_below = 0.75;
  const auto [size, speed] = curve[point];
  for (std::size_t i = point; i-- > 0;)
    if (curve[i].first <= well_below * size)
      return std::exp2(std::log2(speed / curve[i].second) / std::log2(size / curve[i].first));
  return std::nullopt;
}

using Points = std::vector<const Measurement*>;

// Three rows or more that differ in `field` alone, by size.
std::vector<Points> alike(std::span<const Measurement> measurements, std::string_view field) {
  std::map<std::string, Points> by_rest;
  for (const Measurement& m : measurements)
    if (m.row().family == "llm" && text_of(m.row(), "phase") == "decode")
      by_rest[all_but(m.row(), {field})].push_back(&m);
  std::vector<Points> found;
  for (auto& [rest, points] : by_rest) {
    if (points.size() < 3) continue;
    std::ranges::sort(points, {}, [&](const Measurement* m) { return number_of(m->row(), field); });
    found.push_back(std::move(points));
  }
  return found;
}

// Whether the device has room for all blocks of the model; empty where that is not known.
std::string_view whole_model_fits(const Record& row) {
  if (!row.step || !row.step->whole_model) return "";
  return fits(row) ? "fits" : "does not fit";
}

// Those that differ from a curve's rows in `field` alone, by size.
void add_without_room(Table& table, const Points& points, std::span<const Record* const> unfit,
                      std::string_view field) {
  std::map<std::int64_t, std::string> reasons;
  const std::string rest = all_but(points.front()->row(), {field});
  const auto is_measured = [&](const Record& row) {
    return std::ranges::any_of(points, [&](const Measurement* m) {
      return number_of(m->row(), field) == number_of(row, field);
    });
  };
  for (const Record* row : unfit)
    if (all_but(*row, {field}) == rest && !is_measured(*row))
      reasons.emplace(number_of(*row, field), row->reason.substr(no_room.size()));
  for (const auto& [size, reason] : reasons)
    table.rows.push_back({fmt::format("{}", size), "does not fit", "", "", "", "", "", reason});
}

Table curve(const Points& points, std::span<const Record* const> unfit, std::string_view field) {
  const Record& first = points.front()->row();
  Table table = {.title = fmt::format("{} by {}, {} {} on {}", text_of(first, "phase"), field,
                                      text_of(first, "model"), first.tier, first.device),
                 .columns = {{std::string(field)},
                             {"time"},
                             {"rate"},
                             {"of the first"},
                             {"per doubling"},
                             {"of GEMM rate"},
                             {"of read rate"},
                             {"whole model", Align::left}}};
  const auto speed = [](const Measurement* m) { return tokens_of_all(m->row()) / m->time.seconds; };
  std::vector<std::pair<double, double>> speeds;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Measurement* m = points[i];
    const std::int64_t size = number_of(m->row(), field);
    std::string gain;
    speeds.emplace_back(size, speed(m));
    if (const auto doubling = gain_per_doubling(speeds, i))
      gain = fmt::format("x {:.2f}", *doubling);
    const StepFacts facts = facts_of_all(m->row());
    table.rows.push_back(
        {fmt::format("{}", size), seconds(m->time.seconds), performance(*m),
         fmt::format("x {:.2f}", speed(m) / speed(points.front())), gain,
         share_of_rate(facts.model_flops, m->time.seconds, facts.flops_per_second),
         share_of_rate(facts.roof_bytes, m->time.seconds, facts.read_bytes_per_second),
         std::string(whole_model_fits(m->row()))});
  }
  add_without_room(table, points, unfit, field);
  table.notes = {std::string(tokens_note), fmt::format("{} ({})", first.id, settings(first))};
  if (field == "batch") {
    const auto at = knee(speeds);
    table.notes.push_back(
        at ? fmt::format("Knee at batch {:g}: from there on a doubling brings less than x {}.", *at,
                         bent)
           : fmt::format("No knee: every doubling brings x {} or more.", bent));
  }
  return table;
}

}  // namespace

std::optional<double> knee(std::span<const std::pair<double, double>> curve) {
  for (std::size_t i = 1; i < curve.size(); ++i)
    if (gain_per_doubling(curve, i).value_or(bent) < bent) return curve[i - 1].first;
  return std::nullopt;
}

std::vector<const Record*> without_room(const Results& results) {
  std::vector<const Record*> found;
  for (const ResultFile& file : results.files)
    for (const Record& row : file.records)
      if (row.family == "llm" && row.status == Status::unsupported &&
          row.reason.starts_with(no_room))
        found.push_back(&row);
  return found;
}

std::vector<Table> curves(std::span<const Measurement> measurements,
                          std::span<const Record* const> unfit, std::string_view field) {
  std::vector<Table> tables;
  for (const Points& points : alike(measurements, field))
    tables.push_back(curve(points, unfit, field));
  return tables;
}

std::vector<Curves> curve_charts(std::span<const Measurement> measurements,
                                 std::string_view field) {
  std::map<std::string, Curves> by_model;
  for (const Points& points : alike(measurements, field)) {
    const Record& first = points.front()->row();
    const std::string model = text_of(first, "model");
    Curves& chart = by_model[model];
    chart.title = fmt::format("{} by {}, {}", text_of(first, "phase"), field, model);
    chart.description = fmt::format("Where a line bends, a larger {} brings less. {}", field,
                                    std::string(tokens_note));
    chart.x_axis = field;
    chart.y_axis = "tokens/s";
    chart.logarithmic_x = true;
    chart.hollow = "there is no room for the whole model";
    Curves::Line line{.name = fmt::format("{} {} on {}", first.id, first.tier, first.device)};
    for (const Measurement* m : points) {
      const auto size = static_cast<double>(number_of(m->row(), field));
      line.points.emplace_back(size, tokens_of_all(m->row()) / m->time.seconds);
      if (!fits(m->row())) line.hollow_from = std::min(line.hollow_from, size);
    }
    chart.lines.push_back(std::move(line));
  }
  std::vector<Curves> charts;
  for (auto& [model, chart] : by_model) charts.push_back(std::move(chart));
  return charts;
}

}  // namespace steelyard
