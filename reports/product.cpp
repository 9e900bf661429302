// SPDX-License-Identifier: Apache-2.0
#include "reports/product.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace steelyard {
namespace {

constexpr std::string_view die_suffix = "-GCD";

std::string is_measured_as(const Side& side, const Product& product) {
  const int dies = product.spec ? product.spec->dies_per_package : 1;
  if (product.is_die) return dies > 1 ? fmt::format("one GCD of {}", dies) : "one GCD";
  if (side.unit == "node" || product.devices > dies)
    return dies > 1 ? fmt::format("{:g} GCDs of several packages", product.devices)
                    : fmt::format("{:g} devices together", product.devices);
  return dies > 1 ? fmt::format("package: {} GCDs together", dies) : side.unit;
}

bool is_of_several_packages(const Side& side) {
  return steelyard::is_of_several_packages(side.measurements.front().row());
}

// "H100" of "H100-PCIe-80GB".
std::string_view model(const Spec& spec) {
  return std::string_view(spec.name).substr(0, spec.name.find('-'));
}

std::vector<std::string> mixed_up(const Side& a, const Side& b) {
  const Product one = product(a), other = product(b);
  std::vector<std::string> warnings;
  if (one.is_die != other.is_die)
    warnings.push_back(fmt::format(
        "{} is one die of its package, {} is whole: not the same unit. A package counts only if "
        "its dies were measured together (--together).",
        one.is_die ? a.label : b.label, one.is_die ? b.label : a.label));
  else if (const auto as = is_measured_as(a, one), bs = is_measured_as(b, other);
           as != bs && (is_of_several_packages(a) || is_of_several_packages(b)))
    warnings.push_back(fmt::format("{} is {}, {} is {}: ratios are of all that work together.",
                                   a.label, as, b.label, bs));
  const bool differ = one.spec && other.spec && one.spec != other.spec;
  if (differ && model(*one.spec) == model(*other.spec))
    warnings.push_back(fmt::format("{} and {} are different products of one name: {} and {}.",
                                   a.label, b.label, one.spec->name, other.spec->name));
  return warnings;
}

// Whether the package of this die was measured too.
bool has_package(const Product& die, std::span<const Side> sides) {
  return std::ranges::any_of(sides, [&](const Side& side) {
    const Product other = product(side);
    return other.spec == die.spec && !other.is_die;
  });
}

std::optional<double> bandwidth(const Product& product) {
  if (product.spec == nullptr || !product.spec->memory_bandwidth) return std::nullopt;
  return product.spec->memory_bandwidth->value * product.devices;
}

std::string shown(const std::optional<double>& value, auto text) {
  return value.has_value() ? text(value.value()) : "-";
}

}  // namespace

Product product(const Side& side) {
  const Record& row = side.measurements.front().row();
  Product found{.spec = find_spec(row), .devices = devices_of(row)};
  found.is_die = found.spec ? found.devices < found.spec->dies_per_package : side.unit == "gcd";
  return found;
}

double packages_of(const Record& row) {
  const Spec* spec = find_spec(row);
  return devices_of(row) / (spec == nullptr ? 1 : spec->dies_per_package);
}

bool is_of_several_packages(const Record& row) {
  return row.unit == "node" || packages_of(row) > 1;
}

const Spec* package_of(const Spec& spec) {
  if (spec.unit != "gcd") return &spec;
  std::string_view name = spec.name;
  if (name.ends_with(die_suffix)) name.remove_suffix(die_suffix.size());
  return spec_named(name);
}

std::optional<double> datasheet_watts(const Product& product) {
  if (product.spec == nullptr || product.is_die) return std::nullopt;
  const Spec* package = package_of(*product.spec);
  if (package == nullptr || !package->power) return std::nullopt;
  return package->power->value * product.devices / product.spec->dies_per_package;
}

std::optional<double> datasheet_memory(const Product& product) {
  if (product.spec == nullptr || !product.spec->memory_bytes) return std::nullopt;
  return product.spec->memory_bytes->value * product.devices;
}

std::vector<std::string> doubts_of_products(std::span<const Side> sides) {
  std::vector<std::string> doubts;
  for (const Side& side : sides) {
    const std::string doubt = doubt_of_product(side.measurements.front().row());
    const bool is_new = std::ranges::find(doubts, doubt) == doubts.end();
    if (!doubt.empty() && is_new) doubts.push_back(doubt);
  }
  return doubts;
}

Table product_table(std::span<const Side> sides, std::size_t reference) {
  Table table{.title = "Devices",
              .columns = {{"side", Align::left},
                          {"measured as", Align::left},
                          {"datasheet", Align::left},
                          {"devices measured"},
                          {"memory"},
                          {"memory bandwidth"},
                          {"power [W]"}}};
  for (const Side& side : sides) {
    const Product of = product(side);
    table.rows.push_back(
        {side.label, is_measured_as(side, of), of.spec ? of.spec->name : "none",
         fmt::format("{}", side.devices), shown(datasheet_memory(of), bytes),
         shown(bandwidth(of), [](double value) { return rate(value, "B/s"); }),
         shown(datasheet_watts(of), [](double value) { return fmt::format("{:.0f}", value); })});
    if (of.is_die && !has_package(of, sides))
      table.notes.push_back(side.label + ": its package was not measured.");
    std::ranges::copy(mixed_up(sides[reference], side), std::back_inserter(table.notes));
  }
  std::ranges::copy(doubts_of_products(sides), std::back_inserter(table.notes));
  table.notes.push_back("Memory, bandwidth and power are the datasheet's.");
  return table;
}

}  // namespace steelyard
