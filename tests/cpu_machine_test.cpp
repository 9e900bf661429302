// SPDX-License-Identifier: Apache-2.0
// What the CPU device says of its machine, and the limits of control groups, from files made here.
#include "backends/cpu/machine.h"

#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "backends/cpu/cgroup.h"
#include "backends/cpu/run.h"
#include "tests/catch.h"

using namespace steelyard;
namespace fs = std::filesystem;

namespace {

// A /proc and a /sys of our own.
class Root {
 public:
  Root() : path_(fs::temp_directory_path() / ("steelyard-cgroup-" + std::to_string(getpid()))) {
    fs::remove_all(path_);
  }
  ~Root() { fs::remove_all(path_); }
  Root& file(const fs::path& name, std::string_view text) {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return *this;
  }
  operator const fs::path&() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("Without control groups there is no limit") {
  const Root root;
  CHECK_FALSE(cpu::cgroup_cpus(root));
  CHECK_FALSE(cpu::cgroup_memory_left(root));
}

TEST_CASE("The tightest limit among a group and those above it counts (version 2)") {
  Root root;
  root.file("proc/self/cgroup", "0::/jobs/mine\n")
      .file("sys/fs/cgroup/jobs/mine/cpu.max", "max 100000\n")
      .file("sys/fs/cgroup/jobs/cpu.max", "250000 100000\n")
      .file("sys/fs/cgroup/jobs/mine/memory.max", "1000000\n")
      .file("sys/fs/cgroup/jobs/mine/memory.current", "400000\n")
      .file("sys/fs/cgroup/jobs/mine/memory.stat", "anon 1\ninactive_file 50000\n")
      .file("sys/fs/cgroup/jobs/memory.max", "max\n")
      .file("sys/fs/cgroup/jobs/memory.current", "900000\n");
  CHECK(cpu::cgroup_cpus(root) == 2.5);
  CHECK(cpu::cgroup_memory_left(root) == 650000);
}

TEST_CASE(
    "Version 1 keeps one folder per controller; in a container the mount itself is the group") {
  Root root;
  root.file("proc/self/cgroup", "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n")
      .file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n")
      .file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
      .file("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n")
      .file("sys/fs/cgroup/memory/memory.usage_in_bytes", "6000\n");
  CHECK(cpu::cgroup_cpus(root) == 3.0);
  CHECK(cpu::cgroup_memory_left(root) == 0);
}

TEST_CASE("A quota of -1 is none") {
  Root root;
  root.file("proc/self/cgroup", "3:cpu:/\n")
      .file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
      .file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(cpu::cgroup_cpus(root));
}

TEST_CASE("Energy is the packages' without their parts, counted on where a counter wraps") {
  Root root;
  const auto zone = [&](std::string_view name, std::string_view energy) {
    const fs::path path = fs::path("sys/class/powercap") / name;
    root.file(path / "energy_uj", energy).file(path / "max_energy_range_uj", "262143328850\n");
  };
  zone("intel-rapl:0", "262143000000\n");
  zone("intel-rapl:1", "5000000\n");
  zone("intel-rapl:0:0", "1000000\n");
  cpu::PackageEnergy energy(root);
  CHECK(energy.joules() == 0.0);
  zone("intel-rapl:0", "671150\n");  // 0.32885 J to the top and 0.67115 J from zero
  zone("intel-rapl:1", "7500000\n");
  zone("intel-rapl:0:0", "9000000\n");
  CHECK(energy.joules().value() == Approx(1 + 2.5));
  CHECK(energy.joules().value() == Approx(1 + 2.5));
  fs::remove(fs::path(root) / "sys/class/powercap/intel-rapl:1/energy_uj");
  CHECK_FALSE(energy.joules());
}

TEST_CASE("Without counters there is no energy") {
  const Root root;
  CHECK_FALSE(cpu::PackageEnergy(root).joules());
}

TEST_CASE("The device describes the CPU it runs on") {
  const cpu::CpuDevice device;
  const DeviceInfo& info = device.info();
  CHECK(info.backend == "cpu");
  CHECK_FALSE(info.name.empty());
  CHECK(info.architecture.starts_with("x86-64"));
  CHECK(info.compute_units >= 1);
  CHECK(info.compute_units <= sysconf(_SC_NPROCESSORS_ONLN));
  CHECK(info.last_level_cache_bytes > 0);
  CHECK(info.memory_bytes == sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
  CHECK(device.free_bytes() > 0);
  CHECK(device.free_bytes() <= info.memory_bytes);
}

TEST_CASE("A sensor that is absent has a reason") {
  const Telemetry telemetry = cpu::CpuDevice().telemetry();
  const auto explained = [&](const std::optional<double>& value, std::string_view what) {
    return value.has_value() || telemetry.missing.find(what) != std::string::npos;
  };
  CHECK(explained(telemetry.clock_hz, "clock"));
  CHECK(explained(telemetry.power_watts, "power"));
  CHECK(explained(telemetry.energy_joules, "energy"));
  CHECK(explained(telemetry.temperature_celsius, "temperature"));
}

TEST_CASE("Timing leaves the caller's affinity as it was") {
  cpu_set_t before, after;
  sched_getaffinity(0, sizeof before, &before);
  cpu::CpuDevice device;
  const auto run = cpu::make_run(Memory{.bytes = 64}, {}, [](const Arguments&) {});
  device.time(*run, {});
  sched_getaffinity(0, sizeof after, &after);
  CHECK(CPU_EQUAL(&before, &after));
}
