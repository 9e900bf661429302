// SPDX-License-Identifier: Apache-2.0
#include "backends/backend.h"

#include <algorithm>
#include <array>

#include "backends/transformer.h"

namespace steelyard {
namespace {

constexpr std::array<std::pair<Tier, std::string_view>, 4> tiers = {{{Tier::portable, "portable"},
                                                                     {Tier::tuned, "tuned"},
                                                                     {Tier::library, "library"},
                                                                     {Tier::best, "best"}}};

bool is_bound(const Operand& operand, const Inputs& inputs) {
  return std::ranges::any_of(inputs.bound,
                             [&](const Tensor& t) { return t.operand.name == operand.name; });
}

}  // namespace

std::string_view name(Tier tier) {
  return std::ranges::find(tiers, tier, [](const auto& entry) { return entry.first; })->second;
}

std::optional<Tier> parse_tier(std::string_view text) {
  for (const auto& [tier, spelling] : tiers)
    if (spelling == text) return tier;
  return std::nullopt;
}

std::vector<Tensor> Run::outputs(int copy) const {
  std::vector<Tensor> written = tensors(copy);
  std::erase_if(written, [](const Tensor& t) { return t.operand.access == Access::in; });
  return written;
}

std::int64_t footprint(const Problem& problem, const Inputs& inputs) {
  std::int64_t one_set = 0;
  const auto add = [&](const Operand& operand) {
    one_set += align(bytes(operand)) + 2 * align(inputs.guard_bytes);
  };
  if (const auto* transformer = std::get_if<Transformer>(&problem))
    for (const StepTensor& tensor : step_of(*transformer).tensors) add(tensor.operand);
  for (const Operand& operand : operands(problem))
    if (!is_bound(operand, inputs)) add(operand);
  return one_set * inputs.copies;
}

}  // namespace steelyard
