// SPDX-License-Identifier: Apache-2.0
#include "bench/preflight.h"

#include <algorithm>

#include "tests/catch.h"

namespace steelyard {
namespace {

class InspectedDevice final : public Device {
 public:
  InspectedDevice(DeviceInfo info, std::int64_t free, Telemetry sensors)
      : info_(std::move(info)), free_(free), sensors_(std::move(sensors)) {}

  const DeviceInfo& info() const override { return info_; }
  std::int64_t free_bytes() const override { return free_; }
  Elapsed time(Run&, const Window&) override { return {}; }
  HostTensor read(const Tensor&) override { return {}; }
  Telemetry telemetry() override { return sensors_; }

 private:
  DeviceInfo info_;
  std::int64_t free_;
  Telemetry sensors_;
};

constexpr std::int64_t gibibyte = 1 << 30;

struct Gpu {
  std::vector<DeviceFact> facts;
  Telemetry sensors = {.temperature_celsius = 40, .uncorrectable_errors = 0};
  std::int64_t free_bytes = 79 * gibibyte;
};

std::vector<Check> checks_of(InspectedDevice device) {
  Device* const devices[] = {&device};
  return preflight(devices);
}

std::vector<Check> checks_of(const Gpu& gpu) {
  return checks_of(InspectedDevice(
      DeviceInfo{.backend = "cuda", .memory_bytes = 80 * gibibyte, .facts = gpu.facts},
      gpu.free_bytes, gpu.sensors));
}

const Check& find(const std::vector<Check>& checks, const std::string& name) {
  const auto found = std::ranges::find(checks, name, &Check::name);
  INFO(name);
  REQUIRE(found != checks.end());
  return *found;
}

// A GPU that nothing is wrong with.
std::vector<DeviceFact> healthy() {
  return {{"other_processes", "0"},
          {"remapped_rows", "0"},
          {"pcie_width", "16"},
          {"pcie_width_max", "16"},
          {"pcie_generation", "1"},
          {"power_cap_watts", "700"},
          {"power_cap_default_watts", "700"},
          {"mig", "off"}};
}

std::vector<DeviceFact> with(const std::string& name, const std::string& value) {
  auto facts = healthy();
  const auto found = std::ranges::find(facts, name, &DeviceFact::name);
  if (found == facts.end())
    facts.push_back({name, value});
  else
    found->value = value;
  return facts;
}

TEST_CASE("a healthy GPU gives no warning") {
  const auto checks = checks_of({healthy()});
  for (const Check& check : checks) {
    CAPTURE(check.name);
    CHECK(check.warning.empty());
    CHECK(check.value.empty() != check.reason.empty());
  }
  CHECK(find(checks, "pcie_width").value == "16");
  CHECK(find(checks, "memory_in_use_bytes").value == "1073741824");
}

TEST_CASE("whatever makes a GPU unfit is warned of") {
  const auto [gpu, name, words] = GENERATE(table<Gpu, std::string, std::string>({
      {{with("other_processes", "2")}, "other_processes", "2 other processes"},
      {{healthy(), {}, 70 * gibibyte}, "memory_in_use_bytes", "in use by others"},
      {{healthy(), {.uncorrectable_errors = 3}}, "memory_errors", "3 uncorrectable"},
      {{with("remapped_rows", "1 pending")}, "replaced_memory", "reset or repair"},
      {{with("remapped_rows", "1 failed")}, "replaced_memory", "reset or repair"},
      {{with("pcie_width", "8")}, "pcie_width", "8 of 16 lanes"},
      {{with("power_cap_watts", "500")}, "power_cap_watts", "capped at 500 W, by default 700 W"},
      {{with("performance_level", "determinism")}, "clocks", "set by hand: determinism"},
      {{healthy(), {.throttle_reasons = {"hw_slowdown"}}}, "clocks", "hw_slowdown"},
      {{with("mig", "on")}, "partition", "MIG"},
      {{healthy(), {.temperature_celsius = 85}}, "temperature_celsius", "85 °C"},
  }));
  CAPTURE(name);
  const auto checks = checks_of(gpu);
  CHECK_THAT(find(checks, name).warning, ContainsSubstring(words));
  CHECK(std::ranges::count_if(checks, [](const Check& c) { return !c.warning.empty(); }) == 1);
}

TEST_CASE("a partition of an AMD GPU is warned of") {
  std::vector<DeviceFact> facts = healthy();
  facts.pop_back();
  facts.push_back({"compute_partition", "CPX"});
  CHECK_THAT(find(checks_of({facts}), "partition").warning, ContainsSubstring("CPX"));
}

TEST_CASE("what is not known is null with its reason, and no warning") {
  const auto checks = checks_of({{{"other_processes", "", "no permission"}},
                                 {.missing = "temperature: not supported; power: no permission"}});
  CHECK(find(checks, "other_processes").reason == "no permission");
  CHECK(find(checks, "temperature_celsius").reason == "temperature: not supported");
  CHECK(find(checks, "power_cap_watts").reason == "the driver does not tell");
  const Fields written = fields(find(checks, "other_processes"));
  CHECK(written == Fields{{"device", "cuda:0"},
                          {"check", "other_processes"},
                          {"value", nullptr},
                          {"value_reason", "no permission"}});
  for (const Check& check : checks) CHECK(check.warning.empty());
}

TEST_CASE("a CPU is asked for its governor, NUMA, its container and what others do on it") {
  const auto checks = checks_of(InspectedDevice(
      DeviceInfo{
          .backend = "cpu",
          .compute_units = 2,
          .shares_host_memory = true,
          .facts = {{"governor", "powersave"}, {"numa_nodes", "2"}, {"container_cpus", "1.5"}}},
      gibibyte, Telemetry{.missing = "no sensors"}));
  CHECK_THAT(find(checks, "governor").warning, ContainsSubstring("powersave"));
  CHECK_THAT(find(checks, "numa_nodes").warning, ContainsSubstring("2 NUMA nodes"));
  CHECK_THAT(find(checks, "container_cpus").warning, ContainsSubstring("1.5 CPUs"));
  CHECK_FALSE(find(checks, "others_share").value.empty());
}

TEST_CASE("emulated devices are not inspected") {
  CHECK(checks_of(InspectedDevice(DeviceInfo{.emulated = true}, 0, Telemetry{})).empty());
}

}  // namespace
}  // namespace steelyard
