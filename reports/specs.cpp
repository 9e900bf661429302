// SPDX-License-Identifier: Apache-2.0
#include "reports/specs.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace steelyard {

std::string_view gpus();  // the text of data/gpus.json

namespace {

using nlohmann::json;

// Memories and caches are made in powers of two, whatever their datasheets call them.
double scale(const std::string& unit) {
  static constexpr std::pair<std::string_view, double> units[] = {
      {"TFLOP/s", 1e12}, {"TOP/s", 1e12},           {"GB/s", 1e9}, {"MHz", 1e6}, {"W", 1},
      {"MB", 1 << 20},   {"GB", 1024.0 * (1 << 20)}};
  const auto* found = std::find_if(std::begin(units), std::end(units),
                                   [&](const auto& known) { return known.first == unit; });
  if (found == std::end(units)) throw std::logic_error("data/gpus.json: unknown unit " + unit);
  return found->second;
}

Fact fact(const json& field) {
  const auto& source = field.at("source");
  return {.value = field.at("value").get<double>() * scale(field.at("unit")),
          .source = source.at("title").get<std::string>() + ", " +
                    source.at("url").get<std::string>() + ", " +
                    field.at("date").get<std::string>(),
          .confidence = field.at("confidence")};
}

std::optional<Fact> find_fact(const json& gpu, const char* name) {
  const auto field = gpu.find(name);
  return field == gpu.end() ? std::nullopt : std::optional(fact(*field));
}

// Its own, or that of all peaks.
std::optional<double> clock_of(const json& peak, const json& gpu) {
  for (const auto& [of, name] : {std::pair(&peak, "clock"), std::pair(&gpu, "boost_clock")})
    if (const auto found = find_fact(*of, name)) return found->value;
  return std::nullopt;
}

Spec spec(const json& gpu) {
  const auto units = gpu.find("compute_units");
  Spec result{.name = gpu.at("name"),
              .vendor = gpu.at("vendor"),
              .unit = gpu.at("unit"),
              .dies_per_package = gpu.at("devices_per_package"),
              .compute_units = units == gpu.end() ? 0 : units->at("value").get<std::int64_t>(),
              .memory_bytes = find_fact(gpu, "memory"),
              .memory_bandwidth = find_fact(gpu, "memory_bandwidth"),
              .last_level_cache = find_fact(gpu, "last_level_cache"),
              .power = find_fact(gpu, "power")};
  if (const auto peaks = gpu.find("peaks"); peaks != gpu.end())
    for (const auto& [dtype, peak] : peaks->items()) {
      result.peaks.emplace_back(dtype, fact(peak));
      result.peaks.back().second.clock = clock_of(peak, gpu);
    }
  return result;
}

struct Database {
  std::vector<Spec> specs;
  std::vector<std::pair<std::string, std::size_t>> names;  // of a device, and its place in specs
};

const Database& database() {
  static const Database parsed = [] {
    Database result;
    const json file = json::parse(gpus());
    for (const auto& gpu : file.at("gpus")) {
      for (const auto& name : gpu.at("device_names"))
        result.names.emplace_back(name, result.specs.size());
      result.specs.push_back(spec(gpu));
    }
    return result;
  }();
  return parsed;
}

// In the order of the file.
std::vector<const Spec*> products_named(std::string_view device_name) {
  constexpr std::string_view emulated = "emulated ";
  if (device_name.starts_with(emulated)) device_name.remove_prefix(emulated.size());
  std::vector<const Spec*> found;
  for (const auto& [name, place] : database().names)
    if (name == device_name) found.push_back(&database().specs[place]);
  return found;
}

// Its conditions name them; 0 where they do not.
std::int64_t compute_units_of(const Record& row) {
  if (row.conditions == nullptr) return 0;
  const Fields& fields = row.conditions->fields;
  const auto found = std::ranges::find(fields, "compute_units", &Fields::value_type::first);
  const auto* units = found == fields.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  return units == nullptr ? 0 : *units;
}

}  // namespace

const Fact* Spec::peak(std::string_view dtype) const {
  const auto found = std::find_if(peaks.begin(), peaks.end(),
                                  [&](const auto& peak) { return peak.first == dtype; });
  return found == peaks.end() ? nullptr : &found->second;
}

const Spec* find_spec(std::string_view device_name, std::int64_t compute_units) {
  const auto products = products_named(device_name);
  for (const Spec* product : products)
    if (product->compute_units == compute_units) return product;
  return products.empty() ? nullptr : products.front();
}

std::string vendor_of(std::string_view device_name) {
  const Spec* spec = find_spec(device_name);
  return spec == nullptr ? "" : spec->vendor;
}

const Spec* find_spec(const Record& row) {
  return find_spec(row.device_name, compute_units_of(row));
}

std::string doubt_of_product(const Record& row) {
  const auto products = products_named(row.device_name);
  const Spec* taken = find_spec(row);
  if (products.size() < 2 || taken->compute_units == compute_units_of(row)) return {};
  return fmt::format("{} is {} or {}: the result's compute units do not tell. Taken for {}.",
                     row.device_name, products[0]->name, products[1]->name, taken->name);
}

const Spec* spec_named(std::string_view name) {
  const auto found = std::ranges::find(specs(), name, &Spec::name);
  return found == specs().end() ? nullptr : &*found;
}

const std::vector<Spec>& specs() {
  return database().specs;
}

double devices_of(const Record& row) {
  if (!row.together.empty()) return static_cast<double>(row.together.size());
  const Spec* spec = find_spec(row);
  const bool of_dies = spec != nullptr && spec->unit == "gcd" && row.unit == "package";
  return of_dies ? spec->dies_per_package : 1;
}

}  // namespace steelyard
