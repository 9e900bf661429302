// SPDX-License-Identifier: Apache-2.0
#include "reports/specs.h"

#include <algorithm>
#include <stdexcept>

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

Spec spec(const json& gpu) {
  Spec result{.name = gpu.at("name"),
              .vendor = gpu.at("vendor"),
              .unit = gpu.at("unit"),
              .dies_per_package = gpu.at("devices_per_package"),
              .memory_bytes = find_fact(gpu, "memory"),
              .memory_bandwidth = find_fact(gpu, "memory_bandwidth"),
              .last_level_cache = find_fact(gpu, "last_level_cache"),
              .boost_clock = find_fact(gpu, "boost_clock"),
              .power = find_fact(gpu, "power")};
  if (const auto peaks = gpu.find("peaks"); peaks != gpu.end())
    for (const auto& [dtype, peak] : peaks->items()) result.peaks.emplace_back(dtype, fact(peak));
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

}  // namespace

const Fact* Spec::peak(std::string_view dtype) const {
  const auto found = std::find_if(peaks.begin(), peaks.end(),
                                  [&](const auto& peak) { return peak.first == dtype; });
  return found == peaks.end() ? nullptr : &found->second;
}

const Spec* find_spec(std::string_view device_name) {
  constexpr std::string_view emulated = "emulated ";
  if (device_name.starts_with(emulated)) device_name.remove_prefix(emulated.size());
  for (const auto& [name, place] : database().names)
    if (name == device_name) return &database().specs[place];
  return nullptr;
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
  const Spec* spec = find_spec(row.device_name);
  const bool of_dies = spec != nullptr && spec->unit == "gcd" && row.unit == "package";
  return of_dies ? spec->dies_per_package : 1;
}

}  // namespace steelyard
