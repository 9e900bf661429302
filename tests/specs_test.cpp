// SPDX-License-Identifier: Apache-2.0
#include "reports/specs.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
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

// Typed from the table of the document that the data comes from: T(FL)OP/s, GB, GB/s and W; 0 where the
// file must have no figure, since its source is missing or its type is not supported.
struct Row {
  const char* name;
  double f64, f32, tf32, bf16, fp8, int8, memory, bandwidth, cache_mb, power;
};
constexpr Row rows[] = {
    {"A100-SXM4-40GB", 19.5, 19.5, 156, 312, 0, 624, 40, 1555, 40, 400},
    {"A100-SXM4-80GB", 19.5, 19.5, 156, 312, 0, 624, 80, 2039, 40, 400},
    {"A100-PCIe-40GB", 19.5, 19.5, 156, 312, 0, 624, 40, 1555, 40, 250},
    {"A100-PCIe-80GB", 19.5, 19.5, 156, 312, 0, 624, 80, 1935, 40, 300},
    {"H100-SXM5-80GB", 66.9, 66.9, 494.7, 989.4, 1978.9, 1978.9, 80, 3350, 50, 700},
    {"H100-PCIe-80GB", 0, 51, 378, 756, 1513, 1513, 80, 2000, 0, 350},
    {"H100-NVL-94GB", 0, 0, 0, 0, 0, 0, 94, 3900, 0, 400},
    {"H200-SXM-141GB", 0, 67, 494.5, 989, 1979, 1979, 141, 4800, 50, 700},
    {"H200-NVL-141GB", 0, 0, 0, 0, 0, 0, 0, 0, 0, 600},
    {"B200-SXM-180GB", 40, 80, 1125, 2250, 4500, 4500, 180, 8000, 126, 1000},
    {"MI210", 45.3, 45.3, 0, 181, 0, 181, 64, 1638.4, 8, 300},
    {"MI250", 90.5, 90.5, 0, 362.1, 0, 362.1, 128, 3276.8, 16, 560},
    {"MI250-GCD", 45.3, 45.3, 0, 181.05, 0, 181.05, 64, 1638.4, 8, 0},
    {"MI250X", 0, 0, 0, 383, 0, 383, 128, 3280, 0, 560},
    {"MI250X-GCD", 47.9, 0, 0, 191.5, 0, 0, 64, 1638.4, 0, 0},
    {"MI300X", 163.4, 163.4, 653.7, 1307.4, 2614.9, 2614.9, 192, 5300, 256, 750},
    {"MI325X", 163.4, 163.4, 0, 1307.4, 2614.9, 0, 256, 6000, 256, 1000},
    {"MI355X", 78.6, 157.3, 0, 2500, 5000, 0, 288, 8000, 256, 1400}};

double value(const Fact* fact) {
  return fact == nullptr ? 0 : fact->value;
}
double value(const std::optional<Fact>& fact) {
  return fact ? fact->value : 0;
}

TEST_CASE("datasheets say what the document says") {
  CHECK(specs().size() == std::size(rows));
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Spec* spec = spec_named(row.name);
    REQUIRE(spec);
    CHECK(value(spec->peak("f64")) == Approx(row.f64 * 1e12));
    CHECK(value(spec->peak("f32")) == Approx(row.f32 * 1e12));
    CHECK(value(spec->peak("tf32")) == Approx(row.tf32 * 1e12));
    CHECK(value(spec->peak("bf16")) == Approx(row.bf16 * 1e12));
    CHECK(value(spec->peak("f16")) == Approx(row.bf16 * 1e12));
    CHECK(value(spec->peak("fp8_e4m3")) == Approx(row.fp8 * 1e12));
    CHECK(value(spec->peak("fp8_e5m2")) == Approx(row.fp8 * 1e12));
    CHECK(value(spec->peak("int8")) == Approx(row.int8 * 1e12));
    CHECK(value(spec->memory_bytes) == row.memory * (1 << 30));
    CHECK(value(spec->memory_bandwidth) == Approx(row.bandwidth * 1e9));
    CHECK(value(spec->last_level_cache) == row.cache_mb * (1 << 20));
    CHECK(value(spec->power) == row.power);
  }
}

TEST_CASE("the vector units' f32 figure of an MI250X is no peak: its matrix units exceed it") {
  CHECK(spec_named("MI250X")->peak("f32") == nullptr);
  CHECK(spec_named("MI250X-GCD")->peak("f32") == nullptr);
}

TEST_CASE("a HIP device of an MI250X is one GCD, and a GPU of another form another GPU") {
  CHECK(find_spec("AMD Instinct MI250X") == spec_named("MI250X-GCD"));
  CHECK(find_spec("NVIDIA H100 PCIe") == spec_named("H100-PCIe-80GB"));
  CHECK(find_spec("NVIDIA H100 80GB HBM3") == spec_named("H100-SXM5-80GB"));
  CHECK(find_spec("NVIDIA H200 NVL") == spec_named("H200-NVL-141GB"));
  CHECK(spec_named("NVIDIA H200") == nullptr);
}

TEST_CASE("an MI250 is two of its GCDs") {
  const Spec* package = spec_named("MI250");
  const Spec* die = spec_named("MI250-GCD");
  REQUIRE(package);
  REQUIRE(die);
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
  CHECK(spec.peak("bf16")->clock.value() == 2.1e9);
  CHECK(spec.power->value == 750);
  CHECK(spec.peak("bf16")->value == Approx(1307.4e12));
  CHECK(spec.peak("bf16")->confidence == "primary");
}

TEST_CASE("an emulated device has the facts of the device it emulates") {
  CHECK(find_spec("emulated AMD Instinct MI300X") == find_spec("AMD Instinct MI300X"));
}

TEST_CASE("a name is matched whole: other products and slices of a GPU are unknown") {
  for (const char* name : {"", "NVIDIA", "NVIDIA H100", "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
                           "Intel(R) Xeon(R) Processor"}) {
    CAPTURE(name);
    CHECK(find_spec(name) == nullptr);
  }
}

TEST_CASE("a device name stands for one GPU, or for two that their compute units tell apart") {
  std::set<std::pair<std::string, std::int64_t>> seen;
  for (const auto& gpu : gpus())
    for (const auto& name : gpu.at("device_names")) {
      CAPTURE(name.dump());
      const bool has_units = gpu.contains("compute_units");
      const std::int64_t units = has_units ? gpu["compute_units"].at("value").get<int>() : 0;
      CHECK(seen.emplace(name, units).second);
      CHECK(find_spec(name.get<std::string>(), units) ==
            spec_named(gpu.at("name").get<std::string>()));
    }
}

TEST_CASE("a peak at a known clock is units x a power of two of operations x that clock") {
  for (const Spec& spec : specs())
    for (const auto& [dtype, peak] : spec.peaks) {
      if (!peak.clock || spec.compute_units == 0) continue;
      CAPTURE(spec.name, dtype);
      const double operations =
          peak.value / (*peak.clock * static_cast<double>(spec.compute_units));
      CHECK(operations == Approx(std::exp2(std::round(std::log2(operations)))).epsilon(0.01));
    }
  CHECK(spec_named("H100-SXM5-80GB")->peak("f32")->clock.value() == 1.98e9);
  CHECK(spec_named("H100-SXM5-80GB")->peak("bf16")->clock.value() == 1.83e9);
  CHECK_FALSE(spec_named("B200-SXM-180GB")->peak("bf16")->clock);
}

}  // namespace
}  // namespace steelyard
