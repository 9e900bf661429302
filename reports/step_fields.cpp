// SPDX-License-Identifier: Apache-2.0
#include "reports/step_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/differences.h"
#include "reports/render.h"

namespace steelyard {
namespace {

template <class T>
T value_of(const Record& row, std::string_view field) {
  const auto found = std::ranges::find(row.problem, field, &Fields::value_type::first);
  if (found == row.problem.end()) return {};
  const T* value = std::get_if<T>(&found->second);
  return value == nullptr ? T() : *value;
}

}  // namespace

std::int64_t number_of(const Record& row, std::string_view field) {
  return value_of<std::int64_t>(row, field);
}

std::string text_of(const Record& row, std::string_view field) {
  return value_of<std::string>(row, field);
}

std::string all_but(const Record& row, std::initializer_list<std::string_view> fields) {
  std::string all = fmt::format("{} {} {} {}", row.device, row.kernel, row.tier, settings(row));
  for (const auto& [field, value] : row.problem)
    if (std::ranges::find(fields, field) == fields.end())
      all += fmt::format(" {}={}", field, text_of(value));
  return all;
}

double tokens(const Record& row) {
  return static_cast<double>(number_of(row, "batch")) *
         static_cast<double>(number_of(row, "tokens"));
}

double tokens_of_all(const Record& row) {
  return tokens(row) * problems_at_once(row);
}

StepFacts facts_of_all(const Record& row) {
  StepFacts facts = row.step.value_or(StepFacts());
  for (double* of_one : {&facts.model_flops, &facts.roof_bytes, &facts.read_bytes_per_second,
                         &facts.flops_per_second})
    *of_one *= problems_at_once(row);
  return facts;
}

std::string stored_as(const Record& row) {
  return text_of(row, "weights") + (value_of<bool>(row, "fp8_cache") ? ", fp8 cache" : "");
}

bool fits(const Record& row) {
  return !row.step || !row.step->whole_model ||
         number_of(row, "batch") <= row.step->whole_model->largest_batch;
}

std::string measured_blocks(const Record& row) {
  return fmt::format("{} of {}", number_of(row, "layers"), number_of(row, "blocks"));
}

std::string share_of_rate(double work, double seconds, double rate) {
  return work > 0 && rate > 0 ? percent(work / seconds / rate) : "";
}

std::string token_rate(double tokens, double seconds) {
  const double rate = tokens / seconds;
  return rate < 1000 ? fmt::format("{:.4g} tokens/s", rate) : fmt::format("{:.0f} tokens/s", rate);
}

}  // namespace steelyard
