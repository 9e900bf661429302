// SPDX-License-Identifier: Apache-2.0
#include "bench/step_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "bench/calibrate.h"
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
  std::vector<Kernel> all;
  for (const Kernel& kernel : backend_of(backends(), info).kernels)
    if (kernel.supports(operation.problem, info).answer == Support::yes &&
        (!kernel.reads_b_ahead || b_stays(step, operation)))
      all.push_back(kernel);
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

// The least of three cold launches; infinite where a kernel fails.
double cold_seconds(Device& device, const Problem& problem, const Kernel& kernel,
                    std::span<const HostTensor> made) {
  const std::int64_t flush = 3 * last_level_cache(device.info());
  double least = std::numeric_limits<double>::infinity();
  try {
    const auto run = kernel.prepare(device, problem, {.made = made});
    device.time(*run, {.launches = 1});
    for (int i = 0; i < 3; ++i)
      least =
          std::min(least, device.time(*run, {.launches = 1, .flush_bytes = flush}).device_seconds);
  } catch (const DeviceLost&) {
    throw;
  } catch (const std::exception&) {
    return std::numeric_limits<double>::infinity();
  }
  return least;
}

Kernel fastest(Device& device, const Problem& problem, const std::vector<Kernel>& all) {
  static std::map<std::string, double> known;  // seconds by device, problem and kernel
  const DeviceInfo& info = device.info();
  if (all.size() == 1 || info.emulated) return all.front();
  std::vector<HostTensor> made;
  const auto seconds = [&](const Kernel& kernel) {
    const auto [entry, added] =
        known.try_emplace(fmt::format("{} {} {}", device_id(info), id(problem), kernel.name));
    if (added && made.empty()) made = make_inputs(problem, Fill::normal, 42, info.fp8);
    if (added) entry->second = cold_seconds(device, problem, kernel, made);
    return entry->second;
  };
  return *std::ranges::min_element(all, {}, seconds);
}

Support supports(const Problem& problem, const DeviceInfo& info) {
  const auto* transformer = std::get_if<Transformer>(&problem);
  if (transformer == nullptr) return {Support::foreign, {}};
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
  const auto values = [&](const Step& of, std::size_t place) {
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
