// SPDX-License-Identifier: Apache-2.0
// GPUs that exist in a script only: right results for every problem, times and sensors as a test
// wants them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/measure_row.h"

namespace steelyard {

// How a scripted GPU behaves beside computing at 60 % of its datasheet's roofline.
struct GpuScript {
  DeviceInfo info;
  bool rotation_works = true;  // operands of other launches have left the cache
  double zeros_uplift = 0;     // how much faster it computes with zeros
  double slowdown = 1;         // of every launch, after all else
  // What the device's clock says of a window of so many seconds, by the windows so far.
  std::function<double(double seconds, int window)> clock = [](double s, int) { return s; };
  std::function<Telemetry(double now)> sensors = [](double) {
    return Telemetry{.missing = "no sensors"};
  };
  std::optional<int> wrong_from;  // launches so far from which on results are wrong
  bool unstable = false;          // the last bit of an element changes between launches
  std::optional<int> lost_at;     // launches so far at which it is lost
};

// "cuda:0" and so on, as its driver would show it.
GpuScript scripted_a100(int index = 0);
GpuScript scripted_h100(int index = 0);
GpuScript scripted_mi250(int index = 0);  // one of its dies; two indices share a package
GpuScript scripted_mi300x(int index = 0);

// Scripted GPUs of one backend, and the one kernel they have, which supports what the architecture
// does. Time is virtual: only windows take any.
class ScriptedMachine {
 public:
  explicit ScriptedMachine(std::vector<GpuScript> scripts);
  ScriptedMachine(const ScriptedMachine&) = delete;  // its devices ask it for the time

  std::vector<Row> rows(const Family& family, const Options& options) const;
  // The records of all rows; a lost device ends them, as it ends a run.
  std::vector<Record> measure(const Family& family, const Options& options);
  Calibration calibrate(CachePolicy policy);

  double now() const;  // of the device that is furthest
  const Backend& backend() const { return backend_; }
  std::span<const std::unique_ptr<Device>> devices() const { return devices_; }

 private:
  Backend backend_;
  std::vector<std::unique_ptr<Device>> devices_;
};

// Options of a sweep over one GEMM in f32 of size^3, hot. From 512 on it takes longer than a launch.
Options one_gemm(int size = 64);

}  // namespace steelyard
