// SPDX-License-Identifier: Apache-2.0
// A device whose clock is a script: the harness is tested without measuring anything.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "backends/backend.h"

namespace steelyard {

class ScriptedDevice final : public Device {
 public:
  // Seconds of one launch, by the number of windows timed so far.
  using Script = std::function<double(int window)>;

  explicit ScriptedDevice(Script script, DeviceInfo info = {.backend = "scripted",
                                                            .name = "Scripted",
                                                            .memory_bytes = 1 << 30})
      : script_(std::move(script)), info_(std::move(info)) {}

  const DeviceInfo& info() const override { return info_; }
  std::int64_t free_bytes() const override { return 1 << 30; }
  HostTensor read(const Tensor&) override { return {}; }
  Telemetry telemetry() override { return sensors(now); }

  Elapsed time(Run& run, const Window& window) override {
    windows.push_back(window);
    if (window.start_barrier != nullptr) window.start_barrier->arrive_and_wait();
    for (int i = 0; i < window.launches; ++i) run.launch((window.first_copy + i) % run.copies());
    const double seconds = script_(static_cast<int>(windows.size()) - 1) * window.launches;
    now += host_over_device * seconds;
    if (window.meanwhile) window.meanwhile();
    return {.device_seconds = seconds,
            .host_seconds = host_over_device * seconds,
            .gave_up = window.back_to_back && window.launches > queue};
  }

  std::vector<Window> windows;    // as they were asked for
  double now = 0;                 // the host's clock: only windows take time
  int queue = 1 << 20;            // launches that it can enqueue ahead
  double host_over_device = 1.0;  // what the host's clock says of a window
  std::function<Telemetry(double now)> sensors = [](double) {
    return Telemetry{.missing = "no sensors"};
  };

 private:
  Script script_;
  DeviceInfo info_;
};

// Counts its launches by operand set.
class CountingRun final : public Run {
 public:
  explicit CountingRun(int copies) : launches(copies) {}

  void launch(int copy) override { ++launches.at(copy); }
  std::vector<Tensor> tensors(int) const override { return {}; }
  void reset(int, int) override {}
  std::string damage(int) const override { return {}; }
  int copies() const override { return static_cast<int>(launches.size()); }

  std::vector<int> launches;
};

}  // namespace steelyard
