// SPDX-License-Identifier: Apache-2.0
#include "bench/fastest.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "bench/calibrate.h"
#include "bench/rows.h"

namespace steelyard {
namespace {

// The least of three launches, or of those until one takes far longer than `rival` does. Infinite where a
// kernel fails.
double cold_seconds(Device& device, const Problem& problem, const Kernel& kernel,
                    const Inputs& inputs, double rival) {
  constexpr double hopeless = 2;
  constexpr double hopeless_first = 4;  // a first launch loads code, and pages come to be
  const std::int64_t flush = 3 * last_level_cache(device.info());
  double least = std::numeric_limits<double>::infinity();
  try {
    const auto run = kernel.prepare(device, problem, inputs);
    const double first = device.time(*run, {.launches = 1}).device_seconds;
    if (first > hopeless_first * rival) return first;
    for (int i = 0; i < 3; ++i) {
      const double cold = device.time(*run, {.launches = 1, .flush_bytes = flush}).device_seconds;
      least = std::min(least, cold);
      if (cold > hopeless * rival) break;
    }
  } catch (const DeviceLost&) {
    throw;
  } catch (const std::exception&) {
    return std::numeric_limits<double>::infinity();
  }
  return least;
}

}  // namespace

Kernel fastest(Device& device, const Problem& problem, const std::vector<Kernel>& all) {
  static std::map<std::string, double> known;  // seconds by device, problem and kernel
  const DeviceInfo& info = device.info();
  if (all.size() == 1 || info.emulated) return all.front();
  // A CPU multiplies ones as fast as other numbers, and makes them in less time than the choice takes.
  const Fill fill = info.shares_host_memory ? Fill::ones : Fill::normal;
  std::vector<HostTensor> made;
  double least = std::numeric_limits<double>::infinity();
  const auto seconds = [&](const Kernel& kernel) {
    const auto [entry, added] =
        known.try_emplace(fmt::format("{} {} {}", device_id(info), id(problem), kernel.name));
    if (added && fill != Fill::ones && made.empty())
      made = make_inputs(problem, fill, 42, info.fp8);
    if (added)
      entry->second = cold_seconds(device, problem, kernel, {.fill = fill, .made = made}, least);
    least = std::min(least, entry->second);
    return entry->second;
  };
  return *std::ranges::min_element(all, {}, seconds);
}

}  // namespace steelyard
