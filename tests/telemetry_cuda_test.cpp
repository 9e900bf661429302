// SPDX-License-Identifier: Apache-2.0
// NVIDIA's sensors, read from a double of NVML: units, reasons, and what became of old drivers.
#include "backends/cuda/telemetry.h"

#include <unistd.h>

#include "tests/catch.h"
#include "tests/device_facts.h"
#include "tests/doubles/nvml.h"

using namespace steelyard;

namespace {

const std::string bus_id = "0000:65:00.0";

// The script of the double, as new, and the double.
NvmlScript& script() {
  static Library library{NVML_DOUBLE};
  return *library.find<NvmlScript*()>("nvml_script")();
}
NvmlScript& fresh_script() {
  script() = {};
  return script();
}
Library nvml_double() {
  return Library{NVML_DOUBLE};
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("Sensors are read in SI units") {
  fresh_script();
  cuda::Nvml nvml(nvml_double());
  const Telemetry now = nvml.read(bus_id);
  CHECK(now.clock_hz == 1755e6);
  CHECK(now.memory_clock_hz == 2619e6);
  CHECK(now.power_watts == 350.25);
  CHECK(now.power_cap_watts == 650.0);
  CHECK(now.energy_joules == 123456789.012);
  CHECK(now.temperature_celsius == 61.0);
  CHECK(now.uncorrectable_errors == 3);
  CHECK(now.throttle_reasons.empty());
  CHECK(now.missing.empty());
}

TEST_CASE("A GPU is found by its PCI bus id") {
  fresh_script().gpus["0000:0B:00.0"].milliwatts = 90000;
  cuda::Nvml nvml(nvml_double());
  CHECK(nvml.read("0000:0B:00.0").power_watts == 90.0);
  const Telemetry none = nvml.read("0000:99:00.0");
  CHECK_FALSE(none.power_watts);
  CHECK(none.missing == "nvmlDeviceGetHandleByPciBusId_v2: Not Found");
}

TEST_CASE("Facts of a GPU") {
  fresh_script();
  cuda::Nvml nvml(nvml_double());
  DeviceInfo info = {.driver = "CUDA 12.8"};
  nvml.describe(bus_id, info);
  CHECK(info.driver == "570.86.15");
  CHECK(info.uuid == "GPU-0c5e4a12-7d1f-9a3b-5c60-d1e2f3a4b5c6");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"nvml", "12.570.86.15"},
      {"power_cap_watts", "650"},
      {"power_cap_default_watts", "700"},
      {"ecc", "on"},
      {"mig", "off"},
      {"vbios", "96.00.89.00.01"},
      {"clock_max_hz", "1980000000"},
      {"memory_clock_max_hz", "2620000000"},
      {"applications_clock_hz", "1410000000"},
      {"applications_memory_clock_hz", "2610000000"},
      {"pcie_generation_max", "5"},
      {"pcie_width_max", "16"},
      {"pcie_generation", "1"},
      {"pcie_width", "8"},
      {"other_processes", "0"},
      {"remapped_rows", "0"},
      {"pci_bus_id", bus_id}};
  REQUIRE(info.facts.size() == expected.size());
  for (const auto& [name, value] : expected) {
    CHECK(find_fact(info, name).value == value);
    CHECK(find_fact(info, name).reason.empty());
  }
  CHECK(find_fact(info, "power_cap_watts").use == DeviceFact::condition);
  CHECK(find_fact(info, "pcie_generation").use ==
        DeviceFact::note);  // changes while the GPU is idle
}

TEST_CASE("Other processes and the health of the memory are facts") {
  NvmlGpu& gpu = fresh_script().gpus[bus_id];
  gpu.processes = {1, static_cast<unsigned>(getpid()), 77};
  gpu.remapped_rows = 3;
  gpu.remap_pending = 1;
  cuda::Nvml nvml(nvml_double());
  DeviceInfo info;
  nvml.describe(bus_id, info);
  CHECK(find_fact(info, "other_processes").value == "2");
  CHECK(find_fact(info, "other_processes").use == DeviceFact::note);
  CHECK(find_fact(info, "remapped_rows").value == "3 pending");
}

TEST_CASE("The UUID that the run time gave is kept") {
  fresh_script();
  cuda::Nvml nvml(nvml_double());
  DeviceInfo info = {.uuid = "GPU-of-the-run-time"};
  nvml.describe(bus_id, info);
  CHECK(info.uuid == "GPU-of-the-run-time");
}

TEST_CASE("Each clock event has a word, and idleness is none") {
  const auto [bit, name] = GENERATE(table<unsigned long long, std::string>({
      {0x2, "applications_clocks_setting"},
      {0x4, "sw_power_cap"},
      {0x8, "hw_slowdown"},
      {0x10, "sync_boost"},
      {0x20, "sw_thermal_slowdown"},
      {0x40, "hw_thermal_slowdown"},
      {0x80, "hw_power_brake_slowdown"},
      {0x100, "display_clock_setting"},
      {0x4000, "unknown_0x4000"},
  }));
  fresh_script().gpus[bus_id].clock_events = bit | 0x1;
  cuda::Nvml nvml(nvml_double());
  CHECK(nvml.read(bus_id).throttle_reasons == Names{name});
}

TEST_CASE("What throttled between two readings is told by the second") {
  NvmlScript& nvidia = fresh_script();
  NvmlGpu& gpu = nvidia.gpus[bus_id];
  gpu.violation_nanoseconds = {{0, 500}, {1, 700}};
  cuda::Nvml nvml(nvml_double());
  CHECK(nvml.read(bus_id).throttle_reasons.empty());  // it throttled before: nobody knows when
  gpu.violation_nanoseconds[0] = 501;
  CHECK(nvml.read("0000:0B:00.0").throttle_reasons.empty());  // another GPU
  CHECK(nvml.read(bus_id).throttle_reasons == Names{"power_violation"});
  CHECK(nvml.read(bus_id).throttle_reasons.empty());
  gpu.violation_nanoseconds = {{0, 501}, {1, 800}, {2, 1}, {3, 1}, {4, 1}, {5, 1}};
  CHECK(nvml.read(bus_id).throttle_reasons == Names{"thermal_violation", "sync_boost_violation",
                                                    "board_limit_violation",
                                                    "reliability_violation"});
}

TEST_CASE("A sensor that fails is absent with its reason, the others are not") {
  const auto [status, words] = GENERATE(table<int, std::string>({
      {3, "Not Supported"},
      {4, "Insufficient Permissions"},
      {13, "Function Not Found"},
      {15, "GPU is lost"},
      {999, "Unknown Error"},
  }));
  fresh_script().status = {{"nvmlDeviceGetPowerUsage", status},
                           {"nvmlDeviceGetTotalEccErrors", status},
                           {"nvmlDeviceGetViolationStatus", status}};
  cuda::Nvml nvml(nvml_double());
  const Telemetry now = nvml.read(bus_id);
  CHECK_FALSE(now.power_watts);
  CHECK_FALSE(now.uncorrectable_errors);
  CHECK(now.energy_joules);
  CHECK(now.missing == "power: nvmlDeviceGetPowerUsage: " + words +
                           "; memory errors: nvmlDeviceGetTotalEccErrors: " + words +
                           "; power_violation, thermal_violation, sync_boost_violation, "
                           "board_limit_violation, reliability_violation: "
                           "nvmlDeviceGetViolationStatus: " +
                           words);
}

TEST_CASE("A fact that cannot be had has its reason") {
  fresh_script().status = {{"nvmlDeviceGetEccMode", 3}, {"nvmlDeviceGetApplicationsClock", 3}};
  cuda::Nvml nvml(nvml_double());
  DeviceInfo info;
  nvml.describe(bus_id, info);
  CHECK(find_fact(info, "ecc").value.empty());
  CHECK(find_fact(info, "ecc").reason == "nvmlDeviceGetEccMode: Not Supported");
  CHECK(find_fact(info, "applications_clock_hz").value.empty());
  CHECK(find_fact(info, "mig").value == "off");
}

TEST_CASE("A MIG instance has no power of its own") {
  fresh_script().gpus[bus_id].mig = 1;
  cuda::Nvml nvml(nvml_double());
  DeviceInfo info;
  nvml.describe(bus_id, info);
  CHECK(find_fact(info, "mig").value == "on");
  const Telemetry now = nvml.read(bus_id);
  CHECK_FALSE(now.power_watts);
  CHECK_FALSE(now.energy_joules);
  CHECK(now.clock_hz == 1755e6);
  CHECK_THAT(now.missing, ContainsSubstring("power: MIG is on"));
  CHECK_THAT(now.missing, ContainsSubstring("energy: MIG is on"));
}

TEST_CASE("A session is closed once, and not where none was opened") {
  fresh_script();
  {
    cuda::Nvml nvml(nvml_double());
    CHECK(script().sessions == 1);
  }
  CHECK(script().sessions == 0);
  script().status["nvmlInit_v2"] = 9;
  { cuda::Nvml nvml(nvml_double()); }
  CHECK(script().sessions == 0);
}

TEST_CASE("Without a driver or a library everything is absent, with one reason") {
  const auto expect_nothing = [](cuda::Nvml& nvml, const std::string& reason) {
    const Telemetry now = nvml.read(bus_id);
    CHECK_FALSE(now.clock_hz);
    CHECK_FALSE(now.energy_joules);
    CHECK_THAT(now.missing, ContainsSubstring(reason));
    DeviceInfo info = {.driver = "CUDA 12.8"};
    nvml.describe(bus_id, info);
    CHECK(info.driver == "CUDA 12.8");
    REQUIRE(info.facts.size() == 1);
    CHECK(info.facts[0].name == "nvml");
    CHECK_THAT(info.facts[0].reason, ContainsSubstring(reason));
  };
  fresh_script().status["nvmlInit_v2"] = 18;
  cuda::Nvml mismatched(nvml_double());
  expect_nothing(mismatched, "nvmlInit_v2: Driver/library version mismatch");
  cuda::Nvml absent(Library{"libno-such-nvml.so.1"});
  expect_nothing(absent, "libno-such-nvml.so.1");
  cuda::Nvml foreign(Library{"libm.so.6"});
  expect_nothing(foreign, "the library has no nvmlInit_v2");
}

TEST_CASE("An old driver gives what it has") {
  cuda::Nvml nvml(Library{NVML_OLD_DOUBLE});
  const Telemetry now = nvml.read(bus_id);
  CHECK(now.power_watts == 250.0);
  CHECK(now.throttle_reasons == Names{"sw_power_cap"});
  CHECK_FALSE(now.clock_hz);
  CHECK_THAT(now.missing, ContainsSubstring("clock: the library has no nvmlDeviceGetClockInfo"));
  CHECK_THAT(now.missing,
             ContainsSubstring("energy: nvmlDeviceGetTotalEnergyConsumption: status 3"));
}
