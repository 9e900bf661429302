// SPDX-License-Identifier: Apache-2.0
#include "bench/plausibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "bench/rows.h"
#include "reports/render.h"
#include "reports/specs.h"

namespace steelyard {
namespace {

// What the driver says of its highest clock.
std::optional<double> maximum_clock(const DeviceInfo& info) {
  const double hertz = std::strtod(fact_value(info, "clock_max_hz").c_str(), nullptr);
  return hertz > 0 ? std::optional(hertz) : std::nullopt;
}

bool is_from_memory(const Record& record) {
  const bool cold = record.cache == name(CachePolicy::rotate) ||
                    (record.cache == name(CachePolicy::flush) && record.timing.launches == 1);
  return record.family == "memory" && cold;
}

std::string above(double found, double peak, std::string_view unit, std::string_view at) {
  return fmt::format("{} is above the peak of {}{}", rate(found, unit), rate(peak, unit), at);
}

}  // namespace

std::string too_fast(const Record& record, const Problem& problem, const DeviceInfo& info,
                     std::optional<double> clock_hz, double timer_resolution_seconds) {
  constexpr double room = 1.05;  // datasheets round, and clocks are read now and then
  const double median = record.timing.median_seconds;
  const double flop_rate = record.flops / median, byte_rate = record.bytes / median;
  if (!std::isfinite(flop_rate) || !std::isfinite(byte_rate)) return "the rate is infinite";
  if (median * record.timing.launches <= 2 * timer_resolution_seconds)
    return fmt::format("a window of {} is at the resolution of the device's clock, {}",
                       seconds(median * record.timing.launches), seconds(timer_resolution_seconds));
  const Spec* spec = find_spec(info.name, info.compute_units);
  if (spec == nullptr) return {};
  if (const Fact* fact = spec->peak(name(compute_type(problem)))) {
    double peak = fact->value * devices_of(record);
    std::string at;
    if (!clock_hz) clock_hz = maximum_clock(info);
    if (clock_hz && fact->clock) {
      peak *= *clock_hz / *fact->clock;
      at = fmt::format(" at {:.0f} MHz", *clock_hz * 1e-6);
    }
    if (flop_rate > room * peak) return above(flop_rate, peak, "FLOP/s", at);
  }
  if (is_from_memory(record) && spec->memory_bandwidth) {
    const double peak = spec->memory_bandwidth->value * devices_of(record);
    if (byte_rate > room * peak) return above(byte_rate, peak, "B/s", "");
  }
  return {};
}

std::string slow_for_class(const Record& record, const Problem& problem, const DeviceInfo& info) {
  constexpr double share = 0.25, busy = 100e-6;
  const Spec* spec = find_spec(info.name, info.compute_units);
  const bool over_a_link = std::holds_alternative<Copy>(problem);
  if (spec == nullptr || record.steps > 0 || over_a_link) return {};
  const Fact* peak = spec->peak(name(compute_type(problem)));
  const double n = devices_of(record);
  const double computing = peak != nullptr ? record.flops / (n * peak->value) : 0;
  const double moving =
      spec->memory_bandwidth ? record.bytes / (n * spec->memory_bandwidth->value) : 0;
  const double roofline = std::max(computing, moving);
  if (roofline < busy || record.timing.median_seconds <= roofline / share) return {};
  const bool by_compute = computing >= moving;
  return rate(share * (by_compute ? record.flops : record.bytes) / roofline,
              by_compute ? "FLOP/s" : "B/s");
}

}  // namespace steelyard
