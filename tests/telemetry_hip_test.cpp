// SPDX-License-Identifier: Apache-2.0
// AMD's sensors, read from a double of AMD SMI: units, reasons, the two dies of an MI250,
// partitions, and the two layouts of the metrics table.
#include "backends/hip/telemetry.h"

#include <unistd.h>

#include "tests/catch.h"
#include "tests/device_facts.h"
#include "tests/doubles/amd_smi.h"

using namespace steelyard;

namespace {

const std::string first_die = "0000:c1:00.0", second_die = "0000:c6:00.0";
constexpr std::uint64_t first_address = 0xc100, second_address = 0xc600;

AmdSmiScript& script() {
  static Library library{AMD_SMI_DOUBLE};
  return *library.find<AmdSmiScript*()>("amd_smi_script")();
}
// An MI250: the second die gives neither power nor a power cap nor energy.
AmdSmiScript& fresh_mi250() {
  script() = {};
  script().gpus = {
      {first_address, {}},
      {second_address,
       {.average_watts = 0, .cap_microwatts = 0, .default_cap_microwatts = 0, .energy_count = 0}}};
  return script();
}
// An MI300X counts how long it was throttled.
AmdSmiScript& fresh_mi300x() {
  script() = {};
  script().gpus = {{first_address,
                    {.current_watts = 742,
                     .average_watts = 0xFFFF,
                     .compute_partition = "SPX",
                     .memory_partition = "NPS1",
                     .throttle_status = ~0ull,
                     .residencies = {0, 100, 200, 300, 400}}}};
  return script();
}
Library amd_smi_double() {
  return Library{AMD_SMI_DOUBLE};
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("Sensors are read in SI units") {
  fresh_mi250();
  hip::AmdSmi amd_smi(amd_smi_double());
  const Telemetry now = amd_smi.read(first_die);
  CHECK(now.clock_hz == 1650e6);
  CHECK(now.memory_clock_hz == 1600e6);
  CHECK(now.power_watts == 317.0);
  CHECK(now.power_cap_watts == 500.0);
  CHECK(now.energy_joules.value() == Approx(30518.0));
  CHECK(now.temperature_celsius == 58.0);
  CHECK(now.uncorrectable_errors == 2);
  CHECK(now.throttle_reasons.empty());
  CHECK(now.missing.empty());
  CHECK(script().init_flags == 2);  // GPUs
}

TEST_CASE("An MI300 gives its current power") {
  fresh_mi300x();
  hip::AmdSmi amd_smi(amd_smi_double());
  CHECK(amd_smi.read(first_die).power_watts == 742.0);
}

TEST_CASE("Two dies of one package share its power, which only the first tells") {
  fresh_mi250();
  hip::AmdSmi amd_smi(amd_smi_double());
  const Telemetry second = amd_smi.read(second_die);
  CHECK_FALSE(second.power_watts);
  CHECK_FALSE(second.energy_joules);
  CHECK_FALSE(second.power_cap_watts);
  CHECK(second.clock_hz == 1650e6);
  CHECK_THAT(second.missing, ContainsSubstring("power: 0 is read, as on the second die"));
  CHECK_THAT(second.missing, ContainsSubstring("energy: 0 is read, as on the second die"));

  DeviceInfo one, other;
  amd_smi.describe(first_die, one);
  amd_smi.describe(second_die, other);
  CHECK(find_fact(one, "package").value == "PCB0123");
  CHECK(find_fact(one, "package").use == DeviceFact::identity);
  CHECK(find_fact(other, "package").value == find_fact(one, "package").value);
  CHECK(find_fact(other, "pci_bus_id").value != find_fact(one, "pci_bus_id").value);
}

TEST_CASE("Facts of a GPU") {
  AmdGpu& gpu = fresh_mi300x().gpus[first_address];
  gpu.performance_level = 8;
  gpu.processes = {static_cast<std::uint32_t>(getpid()), 4711};
  gpu.bad_pages = 4;
  hip::AmdSmi amd_smi(amd_smi_double());
  DeviceInfo info;
  amd_smi.describe(first_die, info);
  CHECK(info.driver == "6.12.12");
  CHECK(info.uuid == "d1ff740c-0000-1000-80a3-0123456789ab");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"amd_smi", "27"},
      {"pci_bus_id", first_die},
      {"vbios", "113-D65205-021"},
      {"package", "PCB0123"},
      {"ecc", "on"},
      {"compute_partition", "SPX"},
      {"memory_partition", "NPS1"},
      {"performance_level", "determinism"},
      {"power_cap_watts", "500"},
      {"power_cap_default_watts", "560"},
      {"power_scope", "package"},
      {"clock_max_hz", "1700000000"},
      {"memory_clock_max_hz", "1601000000"},
      {"pcie_generation_max", "4"},
      {"pcie_width_max", "16"},
      {"pcie_generation", "4"},
      {"pcie_width", "8"},
      {"other_processes", "1"},
      {"retired_pages", "4"}};
  REQUIRE(info.facts.size() == expected.size());
  for (const auto& [name, value] : expected) {
    CHECK(find_fact(info, name).value == value);
    CHECK(find_fact(info, name).reason.empty());
  }
}

TEST_CASE("A fact that cannot be had has its reason") {
  AmdGpu& gpu = fresh_mi250().gpus[first_address];
  gpu.board_serial = "N/A";
  gpu.pcie_megatransfers = 1234;
  gpu.ecc_blocks = 0x4;  // of caches only
  gpu.performance_level = 0x100;
  hip::AmdSmi amd_smi(amd_smi_double());
  DeviceInfo info;
  amd_smi.describe(first_die, info);
  for (const char* name :
       {"package", "pcie_generation", "performance_level", "compute_partition"}) {
    CHECK(find_fact(info, name).value.empty());
    CHECK_FALSE(find_fact(info, name).reason.empty());
  }
  CHECK_THAT(find_fact(info, "compute_partition").reason,
             ContainsSubstring("AMDSMI_STATUS_NOT_SUPPORTED"));
  CHECK(find_fact(info, "ecc").value == "off");
}

TEST_CASE("A partition of a GPU has no power of its own") {
  fresh_mi300x().gpus[first_address].compute_partition = "CPX";
  hip::AmdSmi amd_smi(amd_smi_double());
  const Telemetry now = amd_smi.read(first_die);
  CHECK_FALSE(now.power_watts);
  CHECK_FALSE(now.energy_joules);
  CHECK(now.clock_hz);
  CHECK_THAT(now.missing, ContainsSubstring("power: all partitions (CPX) share the sensor"));
}

TEST_CASE("What throttles now, in either layout of the metrics table") {
  AmdSmiScript& amd = fresh_mi250();
  amd.version = GENERATE(26u, 27u);
  amd.gpus[first_address].throttle_status = 1ull << 0 | 1ull << 36 | 1ull << 63;
  hip::AmdSmi amd_smi(amd_smi_double());
  CHECK(amd_smi.read(first_die).throttle_reasons ==
        Names{"ppt0", "temp_hotspot", "unknown_0x8000000000000000"});
  CHECK(amd_smi.read(first_die).missing.empty());
}

TEST_CASE("What throttled between two readings is told by the second") {
  AmdSmiScript& amd = fresh_mi300x();
  amd.version = GENERATE(26u, 27u);
  hip::AmdSmi amd_smi(amd_smi_double());
  CHECK(amd_smi.read(first_die).throttle_reasons.empty());
  amd.gpus[first_address].residencies = {1, 101, 201, 301, 401};
  CHECK(amd_smi.read(first_die).throttle_reasons ==
        Names{"prochot_residency", "ppt_residency", "socket_thermal_residency",
              "vr_thermal_residency", "hbm_thermal_residency"});
  amd.gpus[first_address].residencies[1] = 150;
  CHECK(amd_smi.read(first_die).throttle_reasons == Names{"ppt_residency"});
  CHECK(amd_smi.read(first_die).throttle_reasons.empty());
}

TEST_CASE("A GPU that tells nothing of throttling says so") {
  fresh_mi250().gpus[first_address].throttle_status = ~0ull;
  hip::AmdSmi amd_smi(amd_smi_double());
  CHECK_THAT(amd_smi.read(first_die).missing, ContainsSubstring("throttling: "));
}

TEST_CASE("A sensor that fails is absent with its reason, the others are not") {
  const auto [status, words] = GENERATE(table<int, std::string>({
      {2, "AMDSMI_STATUS_NOT_SUPPORTED: Feature not supported"},
      {10, "AMDSMI_STATUS_NO_PERM: Permission Denied"},
      {4242, "status 4242"},
  }));
  const auto [function, sensor] = GENERATE(table<std::string, std::string>({
      {"amdsmi_get_power_info", "power"},
      {"amdsmi_get_power_cap_info", "power cap"},
      {"amdsmi_get_energy_count", "energy"},
      {"amdsmi_get_temp_metric", "temperature"},
      {"amdsmi_get_gpu_total_ecc_count", "memory errors"},
      {"amdsmi_get_gpu_metrics_info", "throttling"},
  }));
  fresh_mi250().status = {{function, status}};
  hip::AmdSmi amd_smi(amd_smi_double());
  const Telemetry now = amd_smi.read(first_die);
  CHECK(now.missing == sensor + ": " + function + ": " + words);
  CHECK(now.power_watts.has_value() == (sensor != "power"));
  CHECK(now.power_cap_watts.has_value() == (sensor != "power cap"));
  CHECK(now.energy_joules.has_value() == (sensor != "energy"));
  CHECK(now.temperature_celsius.has_value() == (sensor != "temperature"));
  CHECK(now.uncorrectable_errors.has_value() == (sensor != "memory errors"));
  CHECK(now.clock_hz);
}

TEST_CASE("Numbers that the driver lacks are absent, however wide") {
  AmdGpu& gpu = fresh_mi250().gpus[first_address];
  gpu.gfx_megahertz = GENERATE(0xFFFFu, 0xFFFFFFFFu, 0u);
  gpu.cap_microwatts = ~0ull;
  hip::AmdSmi amd_smi(amd_smi_double());
  const Telemetry now = amd_smi.read(first_die);
  CHECK_FALSE(now.clock_hz);
  CHECK_FALSE(now.power_cap_watts);
  CHECK(now.memory_clock_hz);
}

TEST_CASE("A GPU that is not there") {
  fresh_mi250();
  hip::AmdSmi amd_smi(amd_smi_double());
  CHECK_THAT(amd_smi.read("0001:c1:00.0").missing, ContainsSubstring("Device Not found"));
  CHECK(amd_smi.read("cuda:0").missing == "cuda:0 is no PCI bus id");
}

TEST_CASE("A session is closed once, and not where none was opened") {
  fresh_mi250();
  {
    hip::AmdSmi amd_smi(amd_smi_double());
    CHECK(script().sessions == 1);
  }
  CHECK(script().sessions == 0);
  script().status["amdsmi_init"] = 34;
  { hip::AmdSmi amd_smi(amd_smi_double()); }
  CHECK(script().sessions == 0);
}

TEST_CASE("Without a driver or a library everything is absent, with one reason") {
  const auto expect_nothing = [](hip::AmdSmi& amd_smi, const std::string& reason) {
    const Telemetry now = amd_smi.read(first_die);
    CHECK_FALSE(now.clock_hz);
    CHECK_FALSE(now.power_watts);
    CHECK_THAT(now.missing, ContainsSubstring(reason));
    DeviceInfo info;
    amd_smi.describe(first_die, info);
    REQUIRE(info.facts.size() == 1);
    CHECK(info.facts[0].name == "amd_smi");
    CHECK_THAT(info.facts[0].reason, ContainsSubstring(reason));
  };
  fresh_mi250().status["amdsmi_init"] = 34;
  hip::AmdSmi driverless(amd_smi_double());
  expect_nothing(driverless, "amdsmi_init: AMDSMI_STATUS_DRIVER_NOT_LOADED");
  fresh_mi250().version = GENERATE(24u, 25u, 28u);
  hip::AmdSmi other_version(amd_smi_double());
  expect_nothing(other_version, "lays out its answers in another way than 26 to 27");
  CHECK(script().sessions == 0);
  hip::AmdSmi absent(Library{"libno-such-amd-smi.so.1"});
  expect_nothing(absent, "libno-such-amd-smi.so.1");
  hip::AmdSmi foreign(Library{"libm.so.6"});
  expect_nothing(foreign, "the library has no amdsmi_get_lib_version");
}
