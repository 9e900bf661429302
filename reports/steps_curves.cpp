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

Table curve(const std::vector<const Measurement*>& points, std::string_view field) {
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
  const auto speed = [](const Measurement* m) { return tokens(m->row()) / m->time.seconds; };
  std::string knee;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Measurement* m = points[i];
    const std::int64_t size = number_of(m->row(), field);
    std::string gain;
    if (i > 0) {
      const auto before = static_cast<double>(number_of(points[i - 1]->row(), field));
      const double doubling =
          per_doubling(static_cast<double>(size) / before, speed(m) / speed(points[i - 1]));
      gain = fmt::format("x {:.2f}", doubling);
      if (knee.empty() && doubling < bent) knee = fmt::format("{:g}", before);
    }
    const StepFacts facts = m->row().step.value_or(StepFacts());
    table.rows.push_back(
        {fmt::format("{}", size), seconds(m->time.seconds), performance(*m),
         fmt::format("x {:.2f}", speed(m) / speed(points.front())), gain,
         share_of_rate(facts.model_flops, m->time.seconds, facts.flops_per_second),
         share_of_rate(facts.roof_bytes, m->time.seconds, facts.read_bytes_per_second)});
  }
  table.notes.push_back(fmt::format("{} ({})", first.id, settings(first)));
  if (field == "batch")
    table.notes.push_back(
        knee.empty() ? fmt::format("No knee: every doubling brings x {} or more.", bent)
                     : fmt::format("Knee at batch {}: from there on a doubling brings less "
                                   "than x {}.",
                                   knee, bent));
  return table;
}

}  // namespace

std::vector<Table> curves(std::span<const Measurement> measurements, std::string_view field) {
  std::map<std::string, std::vector<const Measurement*>> alike;
  for (const Measurement& m : measurements)
    if (m.row().family == "llm" && text_of(m.row(), "phase") == "decode")
      alike[all_but(m.row(), {field})].push_back(&m);
  std::vector<Table> tables;
  for (auto& [what, points] : alike) {
    if (points.size() < 3) continue;
    std::ranges::sort(points, {}, [&](const Measurement* m) { return number_of(m->row(), field); });
    tables.push_back(curve(points, field));
  }
  return tables;
}

}  // namespace steelyard
