// SPDX-License-Identifier: Apache-2.0
#include "reports/published.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "reports/relative_tables.h"
#include "reports/specs.h"
#include "reports/step_fields.h"

namespace steelyard {

std::string_view published_text();  // of data/published.json

namespace {

using nlohmann::json;

struct Unit {
  std::string_view printed, loaded;
  double scale = 1;
};
constexpr Unit units[] = {{"TFLOP/s", "FLOP/s", 1e12},
                          {"GB/s", "bytes/s", 1e9},
                          {"tokens/s", "tokens/s"},
                          {"requests/s", "requests/s"},
                          {"tokens/J", "tokens/J"},
                          {"USD/(1M tokens)", "USD/token", 1e-6},
                          {"min", "s", 60},
                          {"ms", "s", 1e-3},
                          {"ratio", "ratio"},
                          {"number", "number"}};

const Unit& unit_of(const std::string& printed) {
  const auto found = std::ranges::find(units, printed, &Unit::printed);
  if (found == std::end(units)) throw std::logic_error("unknown unit " + printed);
  return *found;
}

const Spec& known(const std::string& gpu) {
  const Spec* spec = spec_named(gpu);
  if (spec == nullptr) throw std::logic_error("unknown GPU " + gpu);
  return *spec;
}

// Sparse figures, typing errors and caches that were taken for memory.
std::string above_peak(const Published& one) {
  const Spec& spec = known(one.gpu);
  const Fact* peak = one.peak == "memory"
                         ? spec.memory_bandwidth ? &*spec.memory_bandwidth : nullptr
                         : spec.peak(one.peak);
  if (peak == nullptr || one.value <= peak->value * one.devices) return "";
  return fmt::format("above the {} of {}",
                     one.peak == "memory" ? "datasheet's bandwidth" : "dense peak",
                     rate(peak->value * one.devices, one.peak == "memory" ? "B/s" : "FLOP/s"));
}

void allow_only_known(const json& entry) {
  static constexpr std::string_view keys[] = {
      "id",         "gpu",     "devices",  "metric", "value",  "unit", "reference", "peak",
      "conditions", "problem", "scenario", "phase",  "series", "flag", "source"};
  for (const auto& [key, value] : entry.items())
    if (std::ranges::count(keys, key) == 0) throw std::logic_error("unknown key " + key);
}

Published read(const json& entry, const json& sources) {
  allow_only_known(entry);
  const Unit unit = unit_of(entry.at("unit"));
  const json& source = sources.at(entry.at("source").get<std::string>());
  const auto text = [&](const char* key) { return entry.value(key, std::string()); };
  Published one = {.id = entry.at("id"),
                   .gpu = entry.at("gpu"),
                   .devices = entry.value("devices", 1),
                   .metric = entry.at("metric"),
                   .value = entry.at("value").get<double>() * unit.scale,
                   .unit = std::string(unit.loaded),
                   .reference = text("reference"),
                   .peak = text("peak"),
                   .conditions = entry.at("conditions"),
                   .source = source.at("title"),
                   .url = source.at("url"),
                   .date = source.at("date"),
                   .confidence = source.at("confidence"),
                   .problem = text("problem"),
                   .scenario = text("scenario"),
                   .series = text("series"),
                   .phase = text("phase"),
                   .flag = text("flag")};
  if (!(one.value > 0)) throw std::logic_error("a value that is not above 0");
  if (one.devices < 1) throw std::logic_error("devices below 1");
  if ((one.unit == "ratio") == one.reference.empty())
    throw std::logic_error("a ratio, and nothing else, has a reference");
  if (one.reference == one.gpu) throw std::logic_error("a ratio to itself");
  if (!one.reference.empty()) known(one.reference);
  if (one.flag.empty()) one.flag = above_peak(one);
  return one;
}

}  // namespace

std::optional<double> speed(const Published& one) {
  if (one.unit.ends_with("/s")) return one.value / one.devices;
  return one.unit == "s" ? std::optional(1 / (one.value * one.devices)) : std::nullopt;
}

std::string value_text(const Published& one) {
  if (one.unit == "FLOP/s") return rate(one.value, "FLOP/s");
  if (one.unit == "bytes/s") return rate(one.value, "B/s");
  if (one.unit == "tokens/s") return token_rate(one.value, 1);
  if (one.unit == "s") return seconds(one.value);
  if (one.unit == "USD/token") return fmt::format("{:.4g} USD per 1M tokens", one.value * 1e6);
  if (one.unit == "ratio") return fmt::format("{} times {}", factor(one.value), one.reference);
  if (one.unit == "number") return fmt::format("{:.4g}", one.value);
  return fmt::format("{:.4g} {}", one.value, one.unit);
}

std::string source_text(const Published& one) {
  return fmt::format("{}, {} ({})", one.source, one.url, one.confidence);
}

std::vector<Published> parse_published(std::string_view text) {
  std::vector<Published> all;
  std::string place = "its beginning";
  try {
    const json file = json::parse(text);
    for (const json& entry : file.at("measured")) {
      place = entry.value("id", fmt::format("entry {}", all.size() + 1));
      all.push_back(read(entry, file.at("sources")));
    }
  } catch (const std::exception& error) {
    throw std::logic_error(fmt::format("data/published.json: {}: {}", place, error.what()));
  }
  return all;
}

std::span<const Published> published() {
  static const std::vector<Published> all = parse_published(published_text());
  return all;
}

}  // namespace steelyard
