// SPDX-License-Identifier: Apache-2.0
#include "reports/published_tables.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "reports/product.h"
#include "reports/relative_tables.h"
#include "reports/step_fields.h"

namespace steelyard {
namespace {

// Of the device, or of the package that its dies make; empty without a datasheet.
std::string gpu_of(const Side& side) {
  const Product of = product(side);
  const Spec* spec = of.spec == nullptr || of.is_die ? of.spec : package_of(*of.spec);
  return spec == nullptr ? "" : spec->name;
}

// Neither easy inputs nor a warm cache: what published numbers were made with.
bool is_usual(const Record& row) {
  return row.fill == "normal" && row.cache == "rotate";
}

// Of the usual rows where there are any.
const Measurement* fastest(const Side& side, const std::string& problem) {
  const auto rank = [](const Measurement& m) {
    return std::pair(!is_usual(m.row()), m.time.seconds);
  };
  const Measurement* best = nullptr;
  for (const Measurement& m : side.measurements)
    if (m.row().id == problem && (best == nullptr || rank(m) < rank(*best))) best = &m;
  return best;
}

std::string performance_text(const Measurement& m) {
  return is_usual(m.row()) ? performance(m)
                           : fmt::format("{} ({})", performance(m), settings(m.row()));
}

constexpr std::array phases = {"train", "lora", "prefill", "serve"};

}  // namespace

Table published_problems(std::span<const Side> sides, std::span<const Published> published) {
  Table table{
      .title = "Published by others: the same problems",
      .columns = {{"problem", Align::left},
                  {"side", Align::left},
                  {"measured here"},
                  {"kernel", Align::left},
                  {"published"},
                  {"conditions", Align::left},
                  {"flag", Align::left},
                  {"date", Align::left},
                  {"source", Align::left}},
      .notes = {"The pass, type, shape and count of operations agree; layouts, inputs, clocks "
                "and software may differ. Published values enter no mean and no ratio."}};
  for (const Side& side : sides) {
    const std::string gpu = gpu_of(side);
    for (const Published& one : published) {
      if (one.problem.empty() || one.gpu != gpu) continue;
      const Measurement* m = fastest(side, one.problem);
      if (m == nullptr) continue;
      table.rows.push_back({one.problem, side.label, performance_text(*m), m->row().kernel,
                            value_text(one), one.conditions, one.flag, one.date, source_text(one)});
    }
  }
  return table;
}

Table published_phases(std::span<const Side> sides, std::span<const Published> published,
                       bool with_costs) {
  Table table{
      .title = "Published by others: training and serving",
      .columns = {{"phase", Align::left},
                  {"scenario", Align::left},
                  {"series", Align::left},
                  {"GPU", Align::left},
                  {"devices"},
                  {"published"},
                  {"conditions", Align::left},
                  {"flag", Align::left},
                  {"date", Align::left},
                  {"source", Align::left}},
      .notes = {"Not measured here, and no measure of the rows above: whole programs on whole "
                "machines, with their schedulers and networks. This suite's tokens/s are a "
                "kernel-level bound of one device; a scenario is the one above with the same "
                "lengths, whatever its model. Only values of one series may be compared "
                "with each other, and none that is flagged."}};
  std::set<std::string> names;
  for (const Side& side : sides) names.insert(gpu_of(side));
  std::vector<const Published*> shown;
  for (const Published& one : published)
    if (names.contains(one.gpu) && std::ranges::count(phases, one.phase) > 0 &&
        (with_costs || one.unit != "USD/token"))
      shown.push_back(&one);
  std::ranges::stable_sort(shown, {}, [](const Published* one) {
    return std::tuple(std::ranges::find(phases, one->phase) - phases.begin(), one->series,
                      one->gpu);
  });
  for (const Published* one : shown)
    table.rows.push_back({one->phase, one->scenario, one->series, one->gpu,
                          fmt::format("{}", one->devices), value_text(*one), one->conditions,
                          one->flag, one->date, source_text(*one)});
  return table;
}

}  // namespace steelyard
