// SPDX-License-Identifier: Apache-2.0
#include "reports/steps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "reports/step_fields.h"

namespace steelyard {
namespace {

struct Phase {
  std::string_view name, label;
};
constexpr std::array phases = {Phase{"train", "pre-training"},
                               Phase{"lora", "post-training: LoRA"},
                               Phase{"quantise", "post-training: quantising weights"},
                               Phase{"score", "post-training: scoring"},
                               Phase{"prefill", "inference: prefill"},
                               Phase{"decode", "inference: decode"}};

std::size_t rank_of(const Measurement& m) {
  const auto found = std::ranges::find(phases, text_of(m.row(), "phase"), &Phase::name);
  return static_cast<std::size_t>(found - phases.begin());
}

std::string phase_of(const Measurement& m) {
  const std::size_t rank = rank_of(m);
  return std::string(rank < phases.size() ? phases[rank].label : text_of(m.row(), "phase"));
}

std::string of_datasheet(const Measurement& m) {
  const Record& row = m.row();
  const Spec* spec = find_spec(row);
  const Fact* fact = spec == nullptr ? nullptr : spec->peak(compute_dtype(row));
  if (fact == nullptr) return "";
  return share_of_rate(facts_of_all(row).model_flops, m.time.seconds,
                       fact->value * devices_of(row));
}

std::string whole_model(const Measurement& m) {
  if (metric(m.row()) != Metric::tokens) return "";
  const auto whole = whole_model_seconds(m);
  return whole ? token_rate(tokens_of_all(m.row()), *whole) : "";
}

std::vector<std::string> utilisation_row(const Measurement& m) {
  const Record& row = m.row();
  const StepFacts step = facts_of_all(row);
  const double time = m.time.seconds;
  return {phase_of(m),
          row.id,
          row.tier,
          row.device,
          seconds(time),
          performance(m),
          rate(step.model_flops / time, "FLOP/s"),
          of_datasheet(m),
          share_of_rate(step.model_flops, time, step.flops_per_second),
          share_of_rate(step.roof_bytes, time, step.read_bytes_per_second),
          bytes(step.resident_bytes),
          step.taken_bytes ? bytes(*step.taken_bytes) : "",
          fmt::format("{}", step.largest_batch),
          measured_blocks(row),
          whole_model(m)};
}

// Operations of one problem and kernel.
struct Group {
  const Part* part = nullptr;
  int launches = 0;
  double chained = 0, cold = 0;
};

std::vector<Group> groups_of(const std::vector<Part>& parts) {
  std::vector<Group> groups;
  for (const Part& part : parts) {
    auto group = std::ranges::find_if(groups, [&](const Group& g) {
      return g.part->operation == part.operation && g.part->kernel == part.kernel;
    });
    if (group == groups.end()) group = groups.insert(groups.end(), {.part = &part});
    ++group->launches;
    group->chained += part.chained_seconds;
    group->cold += part.cold_seconds;
  }
  return groups;
}

std::string difference(const Measurement& m, double chained) {
  const double whole = m.time.seconds;
  return fmt::format("The step takes {}, its operations one by one {}: the step is {} {}.",
                     seconds(whole), seconds(chained), percent(std::abs(chained - whole) / chained),
                     whole < chained
                         ? "shorter, by what timing them apart costs and what overlaps in the step"
                         : "longer, by what lies between them");
}

Table parts_of(const Measurement& m) {
  const Record& row = m.row();
  Table table = {.title = fmt::format("Operations of {}: {} on {}", row.id, row.tier, row.device),
                 .columns = {{"operation", Align::left},
                             {"kernel", Align::left},
                             {"tier", Align::left},
                             {"launches"},
                             {"chained"},
                             {"cold"},
                             {"of sum"}}};
  std::vector<Group> groups = groups_of(m.row().parts);
  std::ranges::stable_sort(groups, std::greater(), &Group::chained);
  Group sum;
  for (const Group& group : groups) {
    sum.launches += group.launches;
    sum.chained += group.chained;
    sum.cold += group.cold;
  }
  const auto add = [&](std::string operation, std::string kernel, std::string tier,
                       const Group& g) {
    table.rows.push_back({std::move(operation), std::move(kernel), std::move(tier),
                          fmt::format("{}", g.launches), seconds(g.chained), seconds(g.cold),
                          percent(g.chained / sum.chained)});
  };
  for (const Group& g : groups) add(g.part->operation, g.part->kernel, g.part->tier, g);
  add("sum", "", "", sum);
  table.notes = {difference(m, sum.chained), "Row: " + key(row)};
  return table;
}

}  // namespace

std::optional<double> whole_model_seconds(const Measurement& measurement) {
  const Record& row = measurement.row();
  const auto layers = static_cast<double>(number_of(row, "layers")),
             blocks = static_cast<double>(number_of(row, "blocks"));
  double in_blocks = 0, all = 0;
  for (const Part& part : row.parts) {
    all += part.chained_seconds;
    if (part.name.starts_with("block ")) in_blocks += part.chained_seconds;
  }
  if (!(all > 0 && layers > 0 && blocks > 0)) return std::nullopt;
  return measurement.time.seconds * (1 + in_blocks / all * (blocks / layers - 1));
}

Table utilisation(std::span<const Measurement> measurements) {
  Table table = {
      .title = "Steps of models: utilisation by phase",
      .columns = {{"phase", Align::left},
                  {"problem", Align::left},
                  {"tier", Align::left},
                  {"device", Align::left},
                  {"time"},
                  {"rate"},
                  {"model FLOP/s"},
                  {"of peak"},
                  {"of GEMM rate"},
                  {"of read rate"},
                  {"tensors"},
                  {"taken"},
                  {"largest batch"},
                  {"blocks"},
                  {"whole model"}},
      .notes = {
          std::string(tokens_note), std::string(blocks_note),
          "Model FLOP/s count what the model asks for: in training 6 N + 6 L s H h per token (N "
          "parameters of matrix products, 4 N of frozen ones; L blocks, context s, H heads of size "
          "h; causal, nothing recomputed), else the operations' own. They are shown as a share of "
          "the datasheet's dense peak, and of the rate of a large matrix product measured beside "
          "the step.",
          "Of read rate: weights and cache, read once in the step's time, over the rate at which "
          "the device read memory beside it.",
          "Tensors: all of a step at once, since nothing is freed in between. Taken: what the "
          "device's free memory fell by, workspaces and code included; of devices with their own "
          "memory. Largest batch: by arithmetic, of the blocks measured, in all of the device's "
          "memory.",
          "Whole model: extrapolated, as if all blocks took as long as those measured.",
          "Of devices that were measured together each takes such a step: rates are of all of "
          "them, "
          "tensors and what fits of one."}};
  std::vector<const Measurement*> steps;
  for (const Measurement& m : measurements)
    if (m.row().step) steps.push_back(&m);
  std::ranges::stable_sort(steps, {}, [](const Measurement* m) { return rank_of(*m); });
  for (const Measurement* m : steps) table.rows.push_back(utilisation_row(*m));
  return table;
}

Table quantisation(std::span<const Measurement> measurements) {
  Table table = {
      .title = "Quantised weights",
      .columns = {{"problem", Align::left},
                  {"weights", Align::left},
                  {"tier", Align::left},
                  {"device", Align::left},
                  {"time"},
                  {"rate"},
                  {"error"}},
      .notes = {"A scale for each row, its largest value over that of the type. Error: the "
                "norm of what the weights lose over their own norm."}};
  for (const Measurement& m : measurements)
    if (const auto& step = m.row().step; step && step->quantisation_error)
      table.rows.push_back({m.row().id, text_of(m.row(), "weights"), m.row().tier, m.row().device,
                            seconds(m.time.seconds), performance(m),
                            fmt::format("{:.3g}", *step->quantisation_error)});
  return table;
}

std::vector<Table> parts_of_steps(std::span<const Measurement> measurements) {
  std::vector<Table> tables;
  for (const Measurement& m : measurements)
    if (!m.row().parts.empty()) tables.push_back(parts_of(m));
  if (!tables.empty())
    tables.back().notes.emplace_back(
        "Chained: in the step's order, so that caches hold what the operations before left. Cold: "
        "caches hold other data. Each launch is timed alone.");
  return tables;
}

}  // namespace steelyard
