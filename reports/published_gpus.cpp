// SPDX-License-Identifier: Apache-2.0
#include "reports/published_gpus.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/claims.h"
#include "reports/glob.h"

namespace steelyard {
namespace {

struct Phase {
  std::string_view name, label;
};
constexpr std::array phases = {Phase{"train", "pre-training"}, Phase{"lora", "post-training: LoRA"},
                               Phase{"prefill", "inference: prefill"},
                               Phase{"serve", "inference: serving"}, Phase{"", "kernels"}};

std::size_t rank_of(const std::string& phase) {
  const auto found = std::ranges::find(phases, phase, &Phase::name);
  return static_cast<std::size_t>(found - phases.begin());
}

std::string label_of(const std::string& phase) {
  const std::size_t rank = rank_of(phase);
  return rank < phases.size() ? std::string(phases[rank].label) : phase;
}

using Best = std::map<std::string, const Published*>;  // the fastest of each GPU

std::map<std::string, Best> by_series(std::span<const Published> published) {
  std::map<std::string, Best> all;
  for (const Published& one : published) {
    if (one.series.empty() || !one.flag.empty() || !speed(one)) continue;
    const Published*& best = all[one.series][one.gpu];
    if (best == nullptr || *speed(one) > *speed(*best)) best = &one;
  }
  return all;
}

Table ratio_table(std::span<const PublishedRatio> ratios, const std::string& reference) {
  Table table = {.title = fmt::format("Published by others: times as fast as {}", reference),
                 .columns = {{"phase", Align::left},
                             {"series", Align::left},
                             {"GPU", Align::left},
                             {"ratio"},
                             {"value"},
                             {"devices"},
                             {"date", Align::left},
                             {"source", Align::left}},
                 .notes = {"Of one device, by values of one series: the same measurer, tool, shape "
                           "and type. Published values have no intervals here. A package of two "
                           "dies counts as one device, a die (GCD) is named so."}};
  for (const PublishedRatio& one : ratios)
    table.rows.push_back({label_of(one.phase), one.series, one.gpu,
                          fmt::format("{:.3f}", one.value), value_text(*one.number),
                          fmt::format("{}", one.number->devices), one.number->date,
                          source_text(*one.number)});
  return table;
}

Forest forest_of(std::span<const PublishedRatio> ratios, const std::string& reference) {
  Forest chart = {.title = fmt::format("Published by others: times as fast as {}", reference),
                  .description = fmt::format("Ratios of published values to those of {}, by phase, "
                                             "series and GPU.",
                                             reference),
                  .axis = fmt::format("times as fast as {}", reference)};
  for (const PublishedRatio& one : ratios)
    chart.rows.push_back({.label = fmt::format("{}: {}", one.gpu, one.series),
                          .group = label_of(one.phase),
                          .ratio = one.value});
  return chart;
}

std::vector<Table> value_tables(std::span<const Published> published) {
  std::vector<Table> tables;
  for (const auto& [phase, label] : phases) {
    Table table = {.title = fmt::format("Published by others: {}", label),
                   .columns = {{"GPU", Align::left},
                               {"metric", Align::left},
                               {"value"},
                               {"devices"},
                               {"conditions", Align::left},
                               {"date", Align::left},
                               {"source", Align::left},
                               {"flag", Align::left}}};
    for (const Published& one : published)
      if (one.phase == phase)
        table.rows.push_back({one.gpu, one.metric, value_text(one), fmt::format("{}", one.devices),
                              one.conditions, one.date, source_text(one), one.flag});
    tables.push_back(std::move(table));
  }
  return tables;
}

Table datasheet_table() {
  Table table = {.title = "Datasheets",
                 .columns = {{"GPU", Align::left},
                             {"unit", Align::left},
                             {"memory"},
                             {"bandwidth"},
                             {"bf16"},
                             {"fp8"},
                             {"f64"},
                             {"power [W]"}},
                 .notes = {"Dense peaks, without structured sparsity. A unit is a package, or one "
                           "of its dies (GCD). Sources of every figure: reports/data/gpus.json."}};
  const auto shown = [](const Fact* fact, std::string_view unit) {
    return fact == nullptr ? "" : rate(fact->value, unit);
  };
  const auto address = [](const std::optional<Fact>& fact) { return fact ? &*fact : nullptr; };
  for (const Spec& spec : specs())
    table.rows.push_back(
        {spec.name, spec.unit, spec.memory_bytes ? bytes(spec.memory_bytes->value) : "",
         shown(address(spec.memory_bandwidth), "B/s"), shown(spec.peak("bf16"), "FLOP/s"),
         shown(spec.peak("fp8_e4m3"), "FLOP/s"), shown(spec.peak("f64"), "FLOP/s"),
         spec.power ? fmt::format("{:g}", spec.power->value) : ""});
  return table;
}

}  // namespace

std::vector<PublishedRatio> published_ratios(std::span<const Published> published,
                                             const std::string& reference) {
  std::vector<PublishedRatio> all;
  for (const auto& [series, best] : by_series(published)) {
    const auto base = best.find(reference);
    if (base == best.end()) continue;
    for (const auto& [gpu, number] : best)
      if (gpu != reference)
        all.push_back(
            {gpu, series, number->phase, *speed(*number) / *speed(*base->second), number});
  }
  for (const Published& one : published)
    if (one.unit == "ratio" && one.reference == reference && one.flag.empty())
      all.push_back({one.gpu, one.metric, one.phase, one.value, &one});
  std::ranges::stable_sort(all, {}, [](const PublishedRatio& one) {
    return std::tuple(rank_of(one.phase), one.series, one.gpu);
  });
  return all;
}

std::string published_gpu(std::span<const Published> published, const std::string& text) {
  const std::string wanted = lower_case(text);
  std::set<std::string> names, found;
  for (const Published& one : published) {
    if (one.gpu == text) return text;
    names.insert(one.gpu);
    if (lower_case(one.gpu).find(wanted) != std::string::npos) found.insert(one.gpu);
  }
  if (found.size() == 1) return *found.begin();
  throw std::invalid_argument(fmt::format("--reference {}: {}; there are: {}", text,
                                          found.empty() ? "no such GPU" : "several GPUs",
                                          fmt::join(found.empty() ? names : found, ", ")));
}

Document published_document(std::span<const Published> published,
                            const std::vector<std::string>& references) {
  Document document = {.title = "GPUs side by side, published by others"};
  document.add(Table{.notes = {"Every number on this page was measured and published by others, "
                               "with their tools and under their conditions; none was measured by "
                               "Steelyard. Each has its source and date."}});
  document.add(datasheet_table());
  for (const std::string& reference : references) {
    const auto ratios = published_ratios(published, reference);
    document.add(Chart(forest_of(ratios, reference)));
    document.add(ratio_table(ratios, reference));
  }
  document.add(claim_tables(judge(shipped_claims(), {{}, {}, published})));
  document.add(value_tables(published));
  return document;
}

}  // namespace steelyard
