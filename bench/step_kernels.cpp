// SPDX-License-Identifier: Apache-2.0
#include "bench/step_kernels.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/fastest.h"
#include "bench/rows.h"
#include "bench/sequence.h"
#include "bench/step_values.h"

namespace steelyard {
namespace {

// Weights that nothing changes may be read ahead.
bool b_stays(const Step& step, const Operation& operation) {
  if (!std::holds_alternative<Gemm>(operation.problem)) return false;
  const StepTensor& b = step.tensors[operation.tensors[1]];
  return b.role == Role::weight && bytes_of(step, Role::optimiser) == 0;
}

std::vector<Kernel> able(const Step& step, const Operation& operation, const DeviceInfo& info) {
  std::vector<Kernel> all = able_kernels(operation.problem, info);
  if (!b_stays(step, operation))
    std::erase_if(all, [](const Kernel& kernel) { return kernel.reads_b_ahead; });
  return all;
}

// Of those able ones that a tier takes.
std::vector<Kernel> candidates(const Step& step, const Operation& operation, const DeviceInfo& info,
                               Tier tier) {
  std::vector<Kernel> all = able(step, operation, info);
  if (tier == Tier::best) return all;
  const auto is_of = [&all](Tier wanted) {
    return std::ranges::any_of(all, [=](const Kernel& k) { return k.tier == wanted; });
  };
  const Tier taken = is_of(tier) ? tier : Tier::portable;
  std::erase_if(all, [=](const Kernel& k) { return k.tier != taken; });
  return all;
}

Support supports(const Problem& problem, const DeviceInfo& info) {
  const auto* transformer = std::get_if<Transformer>(&problem);
  if (transformer == nullptr) return {Support::foreign, {}};
  if (transformer->graph && info.backend == "cpu") return {Support::no, "a CPU replays no graphs"};
  const Step step = step_of(*transformer);
  for (const Operation& operation : step.operations)
    if (able(step, operation, info).empty())
      return {Support::no, fmt::format("{}: no kernel for {} on {}", operation.name,
                                       id(operation.problem), info.name)};
  return {};
}

template <Tier tier>
std::unique_ptr<Run> prepare(Device& device, const Problem& problem, const Inputs& inputs) {
  const Step step = step_of(std::get<Transformer>(problem));
  const auto choose = [&](const Operation& operation) {
    return fastest(device, operation.problem, candidates(step, operation, device.info(), tier));
  };
  const auto values = [&](const Step& of, std::size_t place) -> std::variant<HostTensor, double> {
    if (const auto constant = initial_constant(of.tensors[place])) return *constant;
    if (!inputs.made.empty() && !inputs.made[place].data.empty()) return inputs.made[place];
    return initial_values(of, place, inputs.fill, inputs.seed, device.info().fp8);
  };
  return std::make_unique<Sequence>(device, step, choose, values, inputs.copies);
}

}  // namespace

std::span<const Kernel> step_kernels() {
  static constexpr Kernel table[] = {
      {"chained", Tier::library, supports, prepare<Tier::library>},
      {"chained", Tier::best, supports, prepare<Tier::best>},
      {"chained", Tier::portable, supports, prepare<Tier::portable>},
  };
  return table;
}

}  // namespace steelyard
