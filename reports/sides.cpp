// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/differences.h"
#include "reports/glob.h"
#include "reports/product.h"
#include "reports/relative.h"

namespace steelyard {
namespace {

std::string device_label(const Side& side) {
  const std::string& name = side.device_name.empty() ? side.device : side.device_name;
  if (const Record& row = side.measurements.front().row(); is_of_several_packages(row)) {
    const bool are_dies = packages_of(row) < devices_of(row);
    return fmt::format("{:g} {} {}", devices_of(row), are_dies ? "GCDs of" : "x", name);
  }
  return side.unit == "gcd" ? name + ", one GCD" : name;
}

// Longer and longer labels; the last is unique.
std::string label(const Side& side, std::size_t index, int length) {
  std::filesystem::path source = side.source;
  if (!source.has_filename()) source = source.parent_path();
  const std::string device = device_label(side);
  switch (length) {
    case 0:
      return device;
    case 1:
      return fmt::format("{} ({})", device, source.filename().string());
    case 2:
      return fmt::format("{} ({})", device, side.source);
    case 3:
      return fmt::format("{} ({}, {})", device, side.device, side.source);
    default:
      return fmt::format("{} ({}, {}, no. {})", device, side.device, side.source, index + 1);
  }
}

void set_labels(std::vector<Side>& sides) {
  std::set<std::string> labels;
  for (int length = 0; labels.size() < sides.size(); ++length) {
    labels.clear();
    for (std::size_t i = 0; i < sides.size(); ++i)
      labels.insert(sides[i].label = label(sides[i], i, length));
  }
}

template <class Matches>
std::vector<std::size_t> matching(std::span<const Side> sides, Matches matches) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const Side& side = sides[i];
    for (const auto* text : {&side.label, &side.device, &side.device_name, &side.source})
      if (matches(lower_case(*text))) {
        found.push_back(i);
        break;
      }
  }
  return found;
}

std::string choices(std::span<const Side> sides) {
  std::vector<std::string> labels;
  for (const auto& side : sides) labels.push_back("'" + side.label + "'");
  return fmt::format("{}", fmt::join(labels, ", "));
}

const Scalar& find(const Fields& fields, std::string_view name) {
  static const Scalar none;
  const auto found = std::ranges::find(fields, name, &Fields::value_type::first);
  return found == fields.end() ? none : found->second;
}

// What tells the device of a file from those of others: its own number, else its place.
std::string specimen(const ResultFile& file, const Side& side) {
  for (const Fields& device : file.context.devices)
    if (find(device, "id") == Scalar(side.device))
      if (const auto* uuid = std::get_if<std::string>(&find(device, "uuid"))) return *uuid;
  return text_of(find(file.context.google, "host_name")) + " " + side.device;
}

int devices_of(const Side& side, const Results& set) {
  std::set<std::string> found;
  for (const ResultFile& file : set.files)
    if (std::ranges::any_of(file.records, [&](const Record& row) {
          return row.status == Status::ok && row.device == side.device &&
                 row.device_name == side.device_name;
        }))
      found.insert(specimen(file, side));
  return static_cast<int>(found.size());
}

}  // namespace

std::vector<Side> sides(std::span<const Results> results) {
  std::vector<Side> found;
  for (const auto& set : results) {
    const std::size_t first = found.size();
    for (auto& measurement : measurements(set)) {
      const Record& row = measurement.row();
      auto side = std::find_if(found.begin() + static_cast<std::ptrdiff_t>(first), found.end(),
                               [&](const Side& s) {
                                 return s.device == row.device && s.device_name == row.device_name;
                               });
      if (side == found.end())
        side = found.insert(found.end(), {.device = row.device,
                                          .device_name = row.device_name,
                                          .unit = row.unit,
                                          .source = set.name});
      side->measurements.push_back(std::move(measurement));
    }
    for (auto side = found.begin() + static_cast<std::ptrdiff_t>(first); side != found.end();
         ++side)
      side->devices = devices_of(*side, set);
  }
  set_labels(found);
  return found;
}

std::size_t find_side(std::span<const Side> sides, const std::string& text) {
  if (text.empty()) return 0;
  const std::string wanted = lower_case(text);
  auto found = matching(sides, [&](const std::string& field) { return field == wanted; });
  if (found.empty())
    found = matching(
        sides, [&](const std::string& field) { return field.find(wanted) != std::string::npos; });
  if (found.size() == 1) return found.front();
  throw std::invalid_argument(
      fmt::format("--reference {} names {} of the devices; choose one of {}", text,
                  found.empty() ? "none" : "several", choices(sides)));
}

}  // namespace steelyard
