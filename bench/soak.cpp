// SPDX-License-Identifier: Apache-2.0
#include "bench/soak.h"

#include <algorithm>
#include <cmath>

#include "bench/sampler.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

// A quantity over time, oldest first.
struct Curve {
  std::vector<double> at_seconds, values;

  void add(double at, double value) {
    at_seconds.push_back(at);
    values.push_back(value);
  }
};

Curve curve_of(std::span<const Reading> readings, std::optional<double> Telemetry::*sensor) {
  Curve curve;
  for (const Reading& reading : readings)
    if (const auto& value = reading.sensors.*sensor) curve.add(reading.at_seconds, *value);
  return curve;
}

// Whether it moves by less than `most` in 10 s, judged by the points of the last `seconds`.
bool stands_still(const Curve& curve, double seconds, double most) {
  constexpr double horizon = 10;
  const auto& at = curve.at_seconds;
  const auto from = std::ranges::lower_bound(at, at.back() - seconds) - at.begin();
  if (at.size() - static_cast<std::size_t>(from) < 3) return false;
  const auto skip = static_cast<std::size_t>(from);
  const Slope slope =
      steelyard::slope(std::span(at).subspan(skip), std::span(curve.values).subspan(skip));
  return horizon * (std::abs(slope.value) + slope.standard_error) < most;
}

// Also when nothing is known of it.
bool stands_still(const Curve& curve, double most) {
  return curve.values.empty() || stands_still(curve, 3, most) || stands_still(curve, 10, most);
}

bool stands_still_relatively(const Curve& curve) {
  constexpr double share = 0.005;
  return curve.values.empty() || stands_still(curve, share * std::abs(curve.values.back()));
}

bool stand_still(const Monitor& monitor) {
  constexpr double kelvin = 1;
  for (std::size_t i = 0; i < monitor.devices(); ++i)
    if (!stands_still_relatively(curve_of(monitor.of(i), &Telemetry::clock_hz)) ||
        !stands_still(curve_of(monitor.of(i), &Telemetry::temperature_celsius), kelvin))
      return false;
  return true;
}

}  // namespace

bool soak(Device& device, Run& run, const Plan& plan, Monitor& monitor) {
  constexpr double shortest_seconds = 3, stretch_seconds = 0.5;
  Sampler sampler(device, run, plan, monitor);
  Curve times;  // medians of stretches
  const double start = plan.now();
  while (plan.now() - start < longest_soak_seconds) {
    const std::size_t from = sampler.samples().size();
    const double begin = plan.now();
    do sampler.draw();
    while (plan.now() - begin < stretch_seconds);
    times.add(plan.now(), median(std::span(sampler.samples()).subspan(from)));
    if (plan.now() - start >= shortest_seconds && stands_still_relatively(times) &&
        stand_still(monitor))
      return true;
  }
  return false;
}

}  // namespace steelyard
