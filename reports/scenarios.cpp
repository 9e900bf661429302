// SPDX-License-Identifier: Apache-2.0
#include "reports/scenarios.h"

#include <array>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "reports/step_fields.h"
#include "reports/steps.h"

namespace steelyard {
namespace {

// A prompt of so many tokens, then so many new ones, in so many sequences at once that share it.
struct Scenario {
  std::string_view name;
  std::int64_t prompt = 0, output = 0, sequences = 1;
  bool has_prompt_behind = false;  // its cache is there: only the output takes time
};
constexpr std::array all_scenarios = {Scenario{"pp512", 512, 0},
                                      Scenario{"tg128 @ d4096", 4096, 128, 1, true},
                                      Scenario{"chat 1k/1k", 1024, 1024},
                                      Scenario{"reasoning 1k/8k", 1024, 8192},
                                      Scenario{"summarise 8k/1k", 8192, 1024},
                                      Scenario{"best-of-16 1k/1k", 1024, 1024, 16}};

// The rows of one model, device, tier and way of storing, by phase, context and batch.
using Steps = std::map<std::tuple<std::string, std::int64_t, std::int64_t>, const Measurement*>;

// Of contiguous caches, and without graphs.
std::map<std::string, Steps> by_model(std::span<const Measurement> measurements) {
  std::map<std::string, Steps> all;
  for (const Measurement& m : measurements) {
    const Record& row = m.row();
    if (row.family != "llm" || number_of(row, "page_size") > 0 || row.id.ends_with("/graph"))
      continue;
    all[all_but(row, {"phase", "batch", "tokens", "context"})]
       [{text_of(row, "phase"), number_of(row, "context"), number_of(row, "batch")}] = &m;
  }
  return all;
}

const Measurement* find(const Steps& steps, const std::string& phase, std::int64_t context,
                        std::int64_t batch) {
  const auto found = steps.find({phase, context, batch});
  return found == steps.end() ? nullptr : found->second;
}

double whole_seconds(const Measurement& m) {
  return whole_model_seconds(m).value_or(m.time.seconds);
}

// A line of the table: of a prompt and an output of these sequences, whose times are 0 where the scenario
// has none.
std::vector<std::string> line(std::string_view scenario, const Record& row, std::int64_t sequences,
                              double first, double each, std::string rate) {
  const auto shown = [](double time) { return time > 0 ? seconds(time) : ""; };
  return {std::string(scenario),
          text_of(row, "model"),
          stored_as(row),
          row.tier,
          row.device,
          fmt::format("{}", sequences),
          shown(first),
          shown(each),
          std::move(rate),
          measured_blocks(row)};
}

// Adds nothing where one of its steps was not measured.
void add(Table& table, const Scenario& scenario, const Steps& steps) {
  const bool asks_for_prompt = !scenario.has_prompt_behind;
  const Measurement* prefill =
      asks_for_prompt ? find(steps, "prefill", scenario.prompt, 1) : nullptr;
  const Measurement* decode =
      scenario.output > 0
          ? find(steps, "decode", scenario.prompt + scenario.output / 2, scenario.sequences)
          : nullptr;
  if ((asks_for_prompt && prefill == nullptr) || (scenario.output > 0 && decode == nullptr)) return;
  const double first = prefill != nullptr ? whole_seconds(*prefill) : 0;
  const double each = decode != nullptr ? whole_seconds(*decode) : 0;
  const double all = first + static_cast<double>(scenario.output) * each;
  const Record& row = (prefill != nullptr ? prefill : decode)->row();
  const auto counted = static_cast<double>(
      scenario.output > 0 ? scenario.output * scenario.sequences : scenario.prompt);
  table.rows.push_back(line(scenario.name, row, scenario.sequences, first, each,
                            token_rate(counted * problems_at_once(row), all)));
}

// Decoding at a long context with that batch, of those measured, which is fastest and fits as a whole
// model.
constexpr std::string_view best_batch_name = "ctx8k, best batch that fits";
constexpr std::int64_t best_batch_context = 8192;

void add_best_batch(Table& table, const Steps& steps) {
  const Measurement* any = nullptr;
  const Measurement* best = nullptr;
  double best_rate = 0;
  for (const auto& [what, m] : steps) {
    const auto& [phase, context, batch] = what;
    const auto& facts = m->row().step;
    if (phase != "decode" || context != best_batch_context || !facts || !facts->whole_model)
      continue;
    any = m;
    const double rate = tokens_of_all(m->row()) / whole_seconds(*m);
    if (batch > facts->whole_model->largest_batch || rate <= best_rate) continue;
    best = m;
    best_rate = rate;
  }
  if (best != nullptr)
    table.rows.push_back(line(best_batch_name, best->row(), number_of(best->row(), "batch"), 0,
                              whole_seconds(*best), token_rate(best_rate, 1)));
  else if (any != nullptr)
    table.rows.push_back(line(best_batch_name, any->row(), 0, 0, 0,
                              fmt::format("does not fit: {} of weights",
                                          bytes(any->row().step->whole_model->weight_bytes))));
}

}  // namespace

Table learning(std::span<const Measurement> measurements) {
  constexpr std::int64_t answers = 16, tokens_of_each = 1024;
  Table table = {
      .title = "rl-step",
      .columns = {{"model", Align::left},
                  {"tier", Align::left},
                  {"device", Align::left},
                  {"time"},
                  {"rollout"},
                  {"scoring"},
                  {"update"},
                  {"rate"},
                  {"blocks measured"}},
      .notes = {std::string(tokens_note),
                fmt::format(
                    "{} answers of {} tokens each: rolled out together, a step for each token, all "
                    "as long as that at half of the context; then each answer is scored and "
                    "trained on by itself. Extrapolated from the blocks measured. Rates count "
                    "the answers' tokens.",
                    answers, tokens_of_each)}};
  for (const auto& [what, steps] : by_model(measurements)) {
    const Measurement* decode = find(steps, "decode", tokens_of_each / 2, answers);
    const Measurement* score = find(steps, "score", tokens_of_each, 1);
    const Measurement* train = find(steps, "train", tokens_of_each, 1);
    if (decode == nullptr || score == nullptr || train == nullptr) continue;
    const double rollout = tokens_of_each * whole_seconds(*decode);
    const double scoring = answers * whole_seconds(*score),
                 update = answers * whole_seconds(*train);
    const double all = rollout + scoring + update;
    const Record& row = decode->row();
    table.rows.push_back({text_of(row, "model"), row.tier, row.device, seconds(all),
                          percent(rollout / all), percent(scoring / all), percent(update / all),
                          token_rate(answers * tokens_of_each * problems_at_once(row), all),
                          measured_blocks(row)});
  }
  return table;
}

Table scenarios(std::span<const Measurement> measurements) {
  Table table = {
      .title = "Scenarios",
      .columns = {{"scenario", Align::left},
                  {"model", Align::left},
                  {"weights", Align::left},
                  {"tier", Align::left},
                  {"device", Align::left},
                  {"sequences"},
                  {"time to first token"},
                  {"time per output token"},
                  {"rate"},
                  {"blocks measured"}},
      .notes = {
          std::string(tokens_note),
          "Of the whole model, extrapolated from the blocks measured. ppN: a prompt of N tokens. "
          "tgN @ "
          "dD: N new tokens behind D. Else prompt/output: the prompt's step, then a step for each "
          "output token, all as long as that at the middle of the output. best-of-16 computes its "
          "prompt once, and each of 16 sequences reads it in its own cache. ctx8k: decoding at "
          "8192 "
          "tokens with the fastest of the measured batches that fit into the device's memory as a "
          "whole model. Contiguous caches, no graphs. Rates count output tokens, of ppN the "
          "prompt's, and those of all devices that were measured together, each with these "
          "sequences."}};
  const auto all = by_model(measurements);
  for (const Scenario& scenario : all_scenarios)
    for (const auto& [what, steps] : all) add(table, scenario, steps);
  for (const auto& [what, steps] : all) add_best_batch(table, steps);
  return table;
}

}  // namespace steelyard
