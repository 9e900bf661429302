// SPDX-License-Identifier: Apache-2.0
// The sensors of the devices that work on a row, read while they work.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "reports/record.h"

namespace steelyard {

// Seconds since some moment.
using HostClock = std::function<double()>;
double steady_seconds();

struct Reading {
  double at_seconds = 0;
  std::int64_t launches = 0;  // finished so far, by each device
  std::size_t samples = 0;    // begun so far
  Telemetry sensors;
};

class Monitor {
 public:
  explicit Monitor(std::vector<Device*> devices, HostClock now = steady_seconds);

  // Whether the last reading is a quarter of a second old: reading all sensors of a GPU takes about
  // a millisecond, in which it may run dry.
  bool due() const;
  void read(std::int64_t launches, std::size_t samples);

  // Of one of the devices, oldest first.
  std::span<const Reading> of(std::size_t device) const { return readings_.at(device); }
  // Those that were read during samples, from `first_sample` on: what the readings before it tell of
  // throttling is of other rows. The last one at least.
  std::span<const Reading> of(std::size_t device, int first_sample) const;
  std::size_t devices() const { return devices_.size(); }

 private:
  std::vector<Device*> devices_;
  HostClock now_;
  std::vector<std::vector<Reading>> readings_;  // by device
};

// The mean of what the readings know of a sensor, such as &Telemetry::clock_hz.
std::optional<double> mean(std::span<const Reading> readings,
                           std::optional<double> Telemetry::*sensor);

Clocks clocks_of(std::span<const Reading> readings, double launch_seconds);

// Energy and power between the first reading and the last. `unit` is the device's; `shared_with`
// names what else draws from the same sensor and was idle, "" when nothing does.
Power power_of(std::span<const Reading> readings, const std::string& unit,
               const std::string& shared_with);

// Indices of the samples before a reading that says the clocks were held down, back to the reading
// before it; of any of the devices. Ascending.
std::vector<int> throttled_samples(const Monitor& monitor);

}  // namespace steelyard
