// SPDX-License-Identifier: Apache-2.0
#include "reports/specs.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/catch.h"

namespace steelyard {
namespace {

using nlohmann::json;

json gpus() {
  return json::parse(std::ifstream(GPUS_JSON)).at("gpus");
}

// Every fact of one GPU with its name.
std::vector<std::pair<std::string, json>> facts(const json& gpu) {
  std::vector<std::pair<std::string, json>> found;
  for (const auto& [name, field] : gpu.items())
    if (field.is_object() && name != "peaks") found.emplace_back(name, field);
  if (gpu.contains("peaks"))
    for (const auto& [name, field] : gpu["peaks"].items()) found.emplace_back(name, field);
  return found;
}

double peak(const char* device_name, const char* dtype) {
  const Spec* spec = find_spec(device_name);
  REQUIRE(spec);
  REQUIRE(spec->peak(dtype));
  return spec->peak(dtype)->value;
}

TEST_CASE("every fact has a value, a unit, a dated source and a confidence") {
  for (const auto& gpu : gpus()) {
    for (const auto& [name, field] : facts(gpu)) {
      CAPTURE(gpu.at("name").dump(), name);
      CHECK(field.at("value").get<double>() > 0);
      CHECK_FALSE(field.at("unit").get<std::string>().empty());
      CHECK_FALSE(field.at("source").at("title").get<std::string>().empty());
      CHECK(field.at("source").at("url").get<std::string>().starts_with("https://"));
      CHECK_FALSE(field.at("date").get<std::string>().empty());
      CHECK(std::set<std::string>{"primary", "secondary"}.contains(
          field.at("confidence").get<std::string>()));
      CHECK(field.at("per").get<std::string>() == gpu.at("unit").get<std::string>());
    }
  }
}

TEST_CASE("every peak is dense") {
  for (const auto& gpu : gpus()) {
    if (!gpu.contains("peaks")) continue;
    for (const auto& [dtype, field] : gpu.at("peaks").items()) {
      CAPTURE(gpu.at("name").dump(), dtype);
      CHECK(field.at("dense").get<bool>());
    }
  }
}

TEST_CASE("no peak exceeds what twice the 16-bit rate allows: sparse figures would") {
  for (const auto& spec : specs()) {
    const Fact* half = spec.peak("f16");
    for (const auto& [dtype, fact] : spec.peaks) {
      CAPTURE(spec.name, dtype);
      REQUIRE(half);
      CHECK(fact.value <= half->value * 2.01);
    }
  }
}

TEST_CASE("the peak of fp8 on an H100 is the dense one") {
  CHECK(peak("NVIDIA H100 80GB HBM3", "fp8_e4m3") == Approx(1979e12).epsilon(1e-3));
  CHECK(peak("NVIDIA H200", "fp8_e5m2") == Approx(1979e12).epsilon(1e-3));
}

TEST_CASE("an A100 has no fp8") {
  CHECK(find_spec("NVIDIA A100-SXM4-80GB")->peak("fp8_e4m3") == nullptr);
}

TEST_CASE("an MI250 is two of its GCDs") {
  const auto named = [](std::string_view name) {
    return std::find_if(specs().begin(), specs().end(),
                        [&](const Spec& spec) { return spec.name == name; });
  };
  const auto package = named("MI250"), die = named("MI250-GCD");
  REQUIRE(package != specs().end());
  REQUIRE(die != specs().end());
  CHECK(package->unit == "package");
  CHECK(die->unit == "gcd");
  CHECK(die->dies_per_package == 2);
  CHECK(package->memory_bytes->value == 2 * die->memory_bytes->value);
  CHECK(package->memory_bandwidth->value == 2 * die->memory_bandwidth->value);
  CHECK(package->last_level_cache->value == 2 * die->last_level_cache->value);
  CHECK(package->peaks.size() == die->peaks.size());
  for (const auto& [dtype, fact] : package->peaks)  // datasheets round to three digits
    CHECK(fact.value == Approx(2 * die->peak(dtype)->value).epsilon(2e-3));
}

TEST_CASE("a HIP device of an MI250 is one GCD") {
  for (const char* name : {"AMD Instinct MI250X/MI250", "AMD Instinct MI250X / MI250"}) {
    REQUIRE(find_spec(name));
    CHECK(find_spec(name)->unit == "gcd");
  }
}

TEST_CASE("values are in SI units, memories in powers of two") {
  const Spec& spec = *find_spec("AMD Instinct MI300X");
  CHECK(spec.vendor == "AMD");
  CHECK(spec.memory_bytes->value == 192.0 * (1 << 30));
  CHECK(spec.memory_bandwidth->value == 5.3e12);
  CHECK(spec.last_level_cache->value == 256.0 * (1 << 20));
  CHECK(spec.boost_clock->value == 2.1e9);
  CHECK(spec.power->value == 750);
  CHECK(spec.peak("bf16")->value == Approx(1307.4e12));
  CHECK(spec.peak("bf16")->confidence == "primary");
}

TEST_CASE("an emulated device has the facts of the device it emulates") {
  CHECK(find_spec("emulated AMD Instinct MI300X") == find_spec("AMD Instinct MI300X"));
}

TEST_CASE("a name is matched whole: other products and slices of a GPU are unknown") {
  for (const char* name : {"", "NVIDIA", "NVIDIA H200 NVL", "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
                           "Intel(R) Xeon(R) Processor"}) {
    CAPTURE(name);
    CHECK(find_spec(name) == nullptr);
  }
}

TEST_CASE("no device name stands for two GPUs") {
  std::set<std::string> seen;
  for (const auto& gpu : gpus())
    for (const auto& name : gpu.at("device_names")) {
      CAPTURE(name.dump());
      CHECK(seen.insert(name.get<std::string>()).second);
    }
}

}  // namespace
}  // namespace steelyard
