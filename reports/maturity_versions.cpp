// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/efficiency.h"
#include "reports/maturity.h"
#include "reports/mean_ratio.h"

namespace steelyard {
namespace {

std::string date_of(std::span<const Results> results, const Side& side) {
  for (const Results& set : results)
    if (set.name == side.source && !set.files.empty())
      for (const auto& [name, value] : set.files.front().context.google)
        if (name == "date") return text_of(value);
  return "";
}

// Driver and libraries where they differ: "driver 1.0 -> 2.0".
std::string version_change(const Relative& relative) {
  std::vector<std::string> changes;
  for (const Difference& difference : relative.conditions)
    if (difference.field == "driver" || difference.field == "libraries")
      changes.push_back(
          fmt::format("{} {} -> {}", difference.field, difference.values[0], difference.values[1]));
  return fmt::format("{}", fmt::join(changes, "; "));
}

// Name, unit, and how many work together.
using Device = std::tuple<std::string, std::string, double>;

// The oldest result of each first.
std::map<Device, std::vector<const Side*>> by_device(std::span<const Results> results,
                                                     std::span<const Side> sides) {
  std::map<Device, std::vector<const Side*>> devices;
  for (const Side& side : sides)
    devices[{side.device_name, side.unit, devices_of(side.measurements.front().row())}].push_back(
        &side);
  for (auto& [name, of_device] : devices)
    std::ranges::stable_sort(of_device, {},
                             [&](const Side* side) { return date_of(results, *side); });
  return devices;
}

}  // namespace

Table version_trend(std::span<const Results> results, std::span<const Side> sides) {
  Table table{.title = "Maturity: speed over versions of the software",
              .columns = {{"device", Align::left},
                          {"from", Align::left},
                          {"to", Align::left},
                          {"change", Align::left},
                          {"n"},
                          {"speed ratio (interval)"}},
              .notes = {"The geometric mean over the n rows that both results have, the fastest "
                        "kernel of each. Its interval is the wider of that of these rows and that "
                        "of rows like these."}};
  for (const auto& [device, of_device] : by_device(results, sides))
    for (std::size_t i = 1; i < of_device.size(); ++i) {
      const std::vector<Side> both = {*of_device[i - 1], *of_device[i]};
      const Relative relative = relate(both, 0);
      const std::string change = version_change(relative);
      std::vector<Ratio> of_rows;
      for (const Comparison* comparison : widest_comparisons(relative))
        std::ranges::copy(ratios(*comparison, 1), std::back_inserter(of_rows));
      if (change.empty() || of_rows.empty()) continue;
      const auto when = [&](const Side& side) {
        return fmt::format("{}, {}", side.source, date_of(results, side));
      };
      table.rows.push_back({std::get<0>(device), when(both[0]), when(both[1]), change,
                            fmt::format("{}", of_rows.size()), mean_text(mean_ratio(of_rows))});
    }
  return table;
}

}  // namespace steelyard
