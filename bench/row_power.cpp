// SPDX-License-Identifier: Apache-2.0
#include "bench/row_power.h"

#include <fmt/format.h>

#include <algorithm>

namespace steelyard {
namespace {

// The other die of a package that has one sensor for both, when it is not measured along.
std::string idle_sharer(const Row& row, const Device& device) {
  const std::string package = fact_value(device.info(), "package");
  if (device.info().unit != "gcd" || package.empty()) return {};
  const auto measured = std::ranges::count_if(
      row.devices, [&](const Device* d) { return fact_value(d->info(), "package") == package; });
  return measured < 2 ? "the package's other die" : std::string();
}

}  // namespace

Power total_power(const Row& row, const Monitor& monitor, const Timing& timing) {
  Power total;
  for (std::size_t i = 0; i < monitor.devices(); ++i) {
    const std::string package = fact_value(row.devices[i]->info(), "package");
    const Power one = power_of(monitor.of(i, timing.reported_from), unit_of(row.devices),
                               idle_sharer(row, *row.devices[i]));
    const bool counted_before = i > 0 && !one.watts && !package.empty() &&
                                package == fact_value(row.devices[i - 1]->info(), "package");
    if (counted_before) continue;
    const auto add = [](std::optional<double>& sum, const std::optional<double>& value) {
      if (value) sum = sum.value_or(0) + *value;
    };
    add(total.watts, one.watts);
    add(total.joules_per_launch, one.joules_per_launch);
    add(total.joules_by_counter, one.joules_by_counter);
    add(total.joules_by_trapezoid, one.joules_by_trapezoid);
    if (total.scope.empty()) total.scope = one.scope;
    for (const std::string& reason : one.reasons)
      total.reasons.push_back(
          monitor.devices() == 1 ? reason : device_id(row.devices[i]->info()) + ": " + reason);
  }
  if (row.cache == CachePolicy::flush)
    total.reasons.emplace_back("reading other memory before each window draws energy too");
  total.valid = total.watts && total.reasons.empty();
  return total;
}

}  // namespace steelyard
