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

// The gain of a doubling between two points of a curve.
double per_doubling(double size_ratio, double speed_ratio) {
  return std::exp2(std::log2(speed_ratio) / std::log2(size_ratio));
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

Table curve(const Points& points, std::string_view field) {
  const Record& first = points.front()->row();
  Table table = {.title = fmt::format("{} by {}, {} {} on {}", text_of(first, "phase"), field,
                                      text_of(first, "model"), first.tier, first.device),
                 .columns = {{std::string(field)},
                             {"time"},
                             {"rate"},
                             {"of the first"},
                             {"per doubling"},
                             {"of GEMM rate"},
                             {"of read rate"}}};
  const auto speed = [](const Measurement* m) { return tokens_of_all(m->row()) / m->time.seconds; };
  std::vector<std::pair<double, double>> speeds;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Measurement* m = points[i];
    const std::int64_t size = number_of(m->row(), field);
    std::string gain;
    if (i > 0) {
      const auto before = static_cast<double>(number_of(points[i - 1]->row(), field));
      const double doubling =
          per_doubling(static_cast<double>(size) / before, speed(m) / speed(points[i - 1]));
      gain = fmt::format("x {:.2f}", doubling);
    }
    speeds.emplace_back(size, speed(m));
    const StepFacts facts = facts_of_all(m->row());
    table.rows.push_back(
        {fmt::format("{}", size), seconds(m->time.seconds), performance(*m),
         fmt::format("x {:.2f}", speed(m) / speed(points.front())), gain,
         share_of_rate(facts.model_flops, m->time.seconds, facts.flops_per_second),
         share_of_rate(facts.roof_bytes, m->time.seconds, facts.read_bytes_per_second)});
  }
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
    if (per_doubling(curve[i].first / curve[i - 1].first, curve[i].second / curve[i - 1].second) <
        bent)
      return curve[i - 1].first;
  return std::nullopt;
}

std::vector<Table> curves(std::span<const Measurement> measurements, std::string_view field) {
  std::vector<Table> tables;
  for (const Points& points : alike(measurements, field)) tables.push_back(curve(points, field));
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
    Curves::Line line{.name = fmt::format("{} {} on {}", first.id, first.tier, first.device)};
    for (const Measurement* m : points)
      line.points.emplace_back(number_of(m->row(), field),
                               tokens_of_all(m->row()) / m->time.seconds);
    chart.lines.push_back(std::move(line));
  }
  std::vector<Curves> charts;
  for (auto& [model, chart] : by_model) charts.push_back(std::move(chart));
  return charts;
}

}  // namespace steelyard
