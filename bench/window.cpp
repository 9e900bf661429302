// SPDX-License-Identifier: Apache-2.0
#include "bench/window.h"

#include <algorithm>
#include <cmath>

namespace steelyard {
namespace {

struct Nominal {
  double flop_rate, byte_rate, step_seconds, launch_seconds;
};
constexpr Nominal cpu = {100e9, 20e9, 2e-9, 1e-9};    // what one reaches
constexpr Nominal gpu = {2.7e15, 8e12, 20e-9, 2e-6};  // faster than any: fp8, HBM3e, L1, a launch

double nominal_seconds(const Problem& problem, const Nominal& at) {
  const auto* empty = std::get_if<Launch>(&problem);
  const double launches = empty == nullptr ? 1 : static_cast<double>(empty->launches);
  const Work w = work(problem);
  return std::max({w.flops / at.flop_rate, w.bytes / at.byte_rate, w.steps * at.step_seconds,
                   launches * at.launch_seconds});
}

}  // namespace

int launches_per_sample(const Problem& problem, const DeviceInfo& info) {
  constexpr double window = 1e-3;
  // Events stray by about 0.9 us whatever they enclose (an RTX 3060, nvbench): 0.5 % of this.
  constexpr double long_enough_alone = 200e-6;
  const double one = nominal_seconds(problem, info.shares_host_memory ? cpu : gpu);
  if (!info.shares_host_memory && one >= long_enough_alone) return 1;
  return static_cast<int>(std::ceil(std::min(window / one, 1e6) - 1e-6));  // rounding adds none
}

bool is_graph(const Problem& problem) {
  const auto* step = std::get_if<Transformer>(&problem);
  return step != nullptr && step->graph;
}

bool can_be_enqueued_ahead(const Problem& problem) {
  if (const auto* launch = std::get_if<Launch>(&problem)) return launch->graph;
  if (const auto* copy = std::get_if<Copy>(&problem)) return copy->pinned;
  return true;
}

int copies_for_rotation(const Problem& problem, std::int64_t last_level_cache_bytes) {
  constexpr std::int64_t times_cache = 3;
  const std::int64_t one = footprint(problem, {.copies = 1, .guard_bytes = 0});
  if (one == 0) return 1;
  // A copy of a step is dozens of Runs.
  const std::int64_t most = std::holds_alternative<Transformer>(problem) ? 256 : 4096;
  return static_cast<int>(
      std::clamp<std::int64_t>((times_cache * last_level_cache_bytes + one - 1) / one, 1, most));
}

}  // namespace steelyard
