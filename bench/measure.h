// SPDX-License-Identifier: Apache-2.0
// Sampling: how long, how often, and how sure.
#pragma once

#include <functional>

#include "backends/backend.h"
#include "reports/record.h"

namespace steelyard {

struct Plan {
  int min_samples = 30;
  double min_seconds = 0.5;
  double max_seconds = 5;           // of one row; reaching it first leaves the row not converged
  double target_half_width = 0.01;  // of the median's 95 % interval, relative
  int launches = 1;                 // of one sample
  std::int64_t flush_bytes = 0;
  std::function<bool()> interrupted = [] { return false; };
};

// Thrown between two samples when the plan's `interrupted` says so.
struct Interrupted {};

// Launches of one sample, fixed by the problem alone so that all devices agree: a window of at
// least 1 ms at 100 GFLOP/s, 20 GB/s and 2 ns a step, which a CPU reaches; 2 us an empty kernel.
int launches_per_sample(const Problem& problem);

// Operand sets to rotate through: three times the last-level cache in all, one for `hot` and
// `flush`.
int copies_for_rotation(const Problem& problem, std::int64_t last_level_cache_bytes);

// A pilot of min_samples decides how many samples the target takes, and that many are drawn:
// looking at the interval after each sample and stopping when it happens to be narrow would make it
// too narrow.
Timing measure(Device& device, Run& run, const Plan& plan);

// Launches until the medians of two successive stretches of 1.5 s differ by less than 0.5 %, for 3
// to 30 s. Returns whether they did.
bool soak(Device& device, Run& run, const Plan& plan);

}  // namespace steelyard
