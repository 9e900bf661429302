// SPDX-License-Identifier: Apache-2.0
// Sampling: how long, how often, and how sure.
#pragma once

#include <functional>
#include <vector>

#include "backends/backend.h"
#include "bench/monitor.h"
#include "reports/record.h"

namespace steelyard {

// Raised when a time comes to mean something else: gates do not compare across it.
constexpr int method_version = 2;

struct Plan {
  int min_samples = 30;
  double min_seconds = 0.5;
  double max_seconds = 5;           // of one row; reaching it first leaves the row not converged
  double target_half_width = 0.01;  // of the median's 95 % interval, relative
  double sustained_seconds = 0;  // above 0: so long, whatever the interval; its last third counts
  int launches = 1;              // of one sample
  std::int64_t flush_bytes = 0;
  bool back_to_back = true;  // of windows: see Window
  bool graph = false;        // of windows
  std::function<bool()> interrupted = [] { return false; };
  // Called before the last window with the operand set that its last launch works on, so that this
  // launch's outputs can be verified.
  std::function<void(int copy)> before_last_window = [](int) {};
  HostClock now = steady_seconds;
};

// Thrown between two samples when the plan's `interrupted` says so.
struct Interrupted {};

// Times that cannot be: the row is failed, not slow.
struct ImpossibleTime : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Samples {
  Timing timing;
  std::vector<TracePoint> trace;  // of sustained rows
  int last_copy = 0;              // the operand set of the last launch
};

// A pilot of min_samples decides how many samples the target takes, and that many are drawn before
// the next look at the interval: stopping at the first sample that makes it narrow would make it too
// narrow. `monitor` watches the sensors of the device, or of all that it stands for. Throws
// ImpossibleTime for a time that is not positive, and when the clocks of device and host disagree.
Samples measure(Device& device, Run& run, const Plan& plan, Monitor& monitor);

}  // namespace steelyard
