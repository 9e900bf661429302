// SPDX-License-Identifier: Apache-2.0
// One sample after the other, from windows whose times are believed only when they can be.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/measure.h"

namespace steelyard {

class Sampler {
 public:
  Sampler(Device& device, Run& run, const Plan& plan, Monitor& monitor)
      : device_(device), run_(run), plan_(plan), monitor_(monitor) {}

  // Rotates once through the operand sets, or for a tenth of the plan's longest time.
  void warm_up();
  // Draws one sample more; goes on with the next operand set where the last window ended.
  void draw();
  // The last one: with a reading of the sensors, after the plan's before_last_window.
  void draw_last();

  // Whether the device could not enqueue windows ahead: from then on it was not asked to.
  bool gave_up() const { return plan_.back_to_back && !back_to_back_; }

  const std::vector<double>& samples() const { return samples_; }  // seconds of one launch
  int last_copy() const { return (next_copy_ + run_.copies() - 1) % run_.copies(); }

  // Throws ImpossibleTime when, in half of the windows above 1 ms, the device's clock is more than
  // 10 % off the host's: work that escapes the device's events, or a clock that is wrong.
  void check_clocks() const;

 private:
  double time(bool sampled, bool watched);

  Device& device_;
  Run& run_;
  const Plan& plan_;
  Monitor& monitor_;
  bool back_to_back_ = plan_.back_to_back;
  int next_copy_ = 0;
  std::int64_t launches_ = 0;
  std::vector<double> samples_;
  std::vector<double> host_over_device_;  // of windows above 1 ms
};

}  // namespace steelyard
