// SPDX-License-Identifier: Apache-2.0
#include "bench/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <set>

namespace steelyard {
namespace {

// Sensors average over up to a second and counters advance every tenth: shorter stretches say
// little (METHOD.md).
constexpr double shortest_stretch = 2;
// Power integrated and energy counted are two sensors of one thing.
constexpr double agreement = 0.10;

// The integral of power over the readings that know it.
std::optional<double> trapezoid(std::span<const Reading> readings) {
  std::optional<double> joules;
  const Reading* previous = nullptr;
  for (const Reading& reading : readings) {
    if (!reading.sensors.power_watts) continue;
    if (previous != nullptr)
      joules = joules.value_or(0) +
               (reading.at_seconds - previous->at_seconds) *
                   std::midpoint(*previous->sensors.power_watts, *reading.sensors.power_watts);
    previous = &reading;
  }
  return joules;
}

std::optional<double> counted(const Reading& first, const Reading& last) {
  if (!first.sensors.energy_joules || !last.sensors.energy_joules) return std::nullopt;
  const double joules = *last.sensors.energy_joules - *first.sensors.energy_joules;
  return joules < 0 ? std::nullopt : std::optional(joules);  // it was reset
}

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Monitor::Monitor(std::vector<Device*> devices, HostClock now)
    : devices_(std::move(devices)), now_(std::move(now)), readings_(devices_.size()) {}

bool Monitor::due() const {
  constexpr double interval = 0.25;
  const auto& first = readings_.front();
  return first.empty() || now_() - first.back().at_seconds >= interval;
}

void Monitor::read(std::int64_t launches, std::size_t samples) {
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    Telemetry sensors = devices_[i]->telemetry();
    readings_[i].push_back({now_(), launches, samples, std::move(sensors)});
  }
}

std::span<const Reading> Monitor::of(std::size_t device, int first_sample) const {
  const std::span<const Reading> all = readings_.at(device);
  const auto begin = std::ranges::find_if(all, [&](const Reading& reading) {
    return reading.samples > static_cast<std::size_t>(first_sample);
  });
  return begin == all.end() ? all.last(1) : std::span(begin, all.end());
}

std::optional<double> mean(std::span<const Reading> readings,
                           std::optional<double> Telemetry::*sensor) {
  double sum = 0;
  int known = 0;
  for (const Reading& reading : readings)
    if (const auto& value = reading.sensors.*sensor) {
      sum += *value;
      ++known;
    }
  return known == 0 ? std::nullopt : std::optional(sum / known);
}

Clocks clocks_of(std::span<const Reading> readings, double launch_seconds) {
  const Telemetry &first = readings.front().sensors, &last = readings.back().sensors;
  Clocks clocks = {.before_hz = first.clock_hz,
                   .after_hz = last.clock_hz,
                   .mean_hz = mean(readings, &Telemetry::clock_hz),
                   .temperature_before_celsius = first.temperature_celsius,
                   .temperature_after_celsius = last.temperature_celsius,
                   .reason = last.missing};
  if (clocks.mean_hz) clocks.cycles = *clocks.mean_hz * launch_seconds;
  for (const Reading& reading : readings)
    for (const std::string& reason : reading.sensors.throttle_reasons)
      if (std::ranges::find(clocks.throttle_reasons, reason) == clocks.throttle_reasons.end())
        clocks.throttle_reasons.push_back(reason);
  return clocks;
}

Power power_of(std::span<const Reading> readings, const std::string& unit,
               const std::string& shared_with) {
  const Reading &first = readings.front(), &last = readings.back();
  const double seconds = last.at_seconds - first.at_seconds;
  const auto launches = static_cast<double>(last.launches - first.launches);
  const auto by_counter = counted(first, last), by_trapezoid = trapezoid(readings);
  if (!by_counter && !by_trapezoid) return {.reasons = {last.sensors.missing}};
  const double joules = by_counter ? *by_counter : *by_trapezoid;

  Power power = {.scope = shared_with.empty() ? unit : "package"};
  const auto per_launch = [&](std::optional<double> total) {
    return total && launches > 0 ? std::optional(*total / launches) : std::nullopt;
  };
  if (seconds > 0) power.watts = joules / seconds;
  power.joules_per_launch = per_launch(joules);
  power.joules_by_counter = per_launch(by_counter);
  power.joules_by_trapezoid = per_launch(by_trapezoid);
  if (seconds < shortest_stretch)
    power.reasons.push_back(
        fmt::format("sensors were watched for {:.2f} s, which takes {} s: --energy extends the row",
                    seconds, shortest_stretch));
  if (by_counter && !(*by_counter > 0))
    power.reasons.emplace_back("the energy counter did not advance");
  if (by_counter && by_trapezoid &&
      std::abs(*by_counter - *by_trapezoid) > agreement * std::max(*by_counter, *by_trapezoid))
    power.reasons.push_back(fmt::format(
        "counter ({:.3g} J) and integral of power ({:.3g} J) differ", *by_counter, *by_trapezoid));
  if (!shared_with.empty())
    power.reasons.push_back(fmt::format(
        "the sensor is the package's and {} was idle: --together measures both", shared_with));
  power.valid = power.reasons.empty();
  return power;
}

std::vector<int> throttled_samples(const Monitor& monitor) {
  std::set<int> marked;
  for (std::size_t device = 0; device < monitor.devices(); ++device) {
    const auto readings = monitor.of(device);
    for (std::size_t i = 1; i < readings.size(); ++i) {
      if (readings[i].sensors.throttle_reasons.empty()) continue;
      for (std::size_t sample = readings[i - 1].samples; sample < readings[i].samples; ++sample)
        marked.insert(static_cast<int>(sample));
    }
  }
  return {marked.begin(), marked.end()};
}

}  // namespace steelyard
