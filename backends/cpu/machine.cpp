// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/machine.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <set>
#include <thread>

#include "backends/cpu/cgroup.h"
#include "backends/cpu/files.h"
#include "backends/cpu/instruction_set.h"
#include "backends/large_blocks.h"

namespace steelyard::cpu {
namespace {

namespace fs = std::filesystem;

const fs::path cpu_folders = "/sys/devices/system/cpu";

fs::path folder(int cpu) {
  return cpu_folders / fmt::format("cpu{}", cpu);
}

std::vector<int> allowed_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
  return cpus.empty() ? std::vector{0} : cpus;
}

struct Cache {
  int level = 0;
  std::int64_t bytes = 0;
  std::string shared_by;
};

std::vector<Cache> caches_of(int cpu) {
  std::vector<Cache> caches;
  for (int i = 0;; ++i) {
    const fs::path index = folder(cpu) / fmt::format("cache/index{}", i);
    const auto level = read_number<int>(index / "level");
    if (!level) return caches;
    const auto kibibytes = read_number<std::int64_t>(index / "size");  // "32768K"
    caches.push_back({*level, kibibytes.value_or(0) * 1024, first_line(index / "shared_cpu_list")});
  }
}

std::int64_t meminfo(std::string_view key) {
  return parse_number<std::int64_t>(field("/proc/meminfo", key)).value_or(0) * 1024;
}

// Those with a CPU that this process may run on.
int numa_nodes() {
  const auto nodes = entries("/sys/devices/system/node");
  const auto cpus = allowed_cpus();
  return static_cast<int>(std::ranges::count_if(nodes, [&](const fs::path& node) {
    return std::ranges::any_of(
        cpus, [&](int cpu) { return fs::exists(node / fmt::format("cpu{}", cpu)); });
  }));
}

// A limit beyond what the machine has is none.
template <class Number>
DeviceFact limit_fact(std::string name, std::optional<Number> limit, Number all) {
  return {.name = std::move(name),
          .value = limit && *limit < all ? fmt::format("{}", *limit) : "none",
          .use = DeviceFact::note};
}

std::string or_unknown(std::string text) {
  return text.empty() ? "unknown" : text;
}

std::string instruction_sets() {
  std::string list;
  using enum InstructionSet;
  for (const InstructionSet set : {baseline, v3, v4, v4_dot})
    if (can_run(set)) list += fmt::format("{}{}", list.empty() ? "" : " ", name(set));
  return list;
}

// The choice of a setting is in brackets: "always [madvise] never".
std::string chosen(const std::string& line) {
  const auto open = line.find('['), close = line.find(']');
  if (open == std::string::npos || close == std::string::npos) return or_unknown(line);
  return line.substr(open + 1, close - open - 1);
}

std::optional<double> mean_clock_hz(const std::vector<int>& cpus) {
  double sum = 0;
  for (const int cpu : cpus) {
    const auto kilohertz = read_number<double>(folder(cpu) / "cpufreq/scaling_cur_freq");
    if (!kilohertz) {
      const auto megahertz = parse_number<double>(field("/proc/cpuinfo", "cpu MHz"));
      return megahertz ? std::optional(*megahertz * 1e6) : std::nullopt;
    }
    sum += *kilohertz * 1e3;
  }
  return sum / static_cast<double>(cpus.size());
}

std::optional<double> package_temperature() {
  for (const fs::path& sensor : entries("/sys/class/hwmon")) {
    const std::string driver = first_line(sensor / "name");
    if (driver != "k10temp" && driver != "coretemp") continue;
    if (const auto millidegrees = read_number<double>(sensor / "temp1_input"))
      return *millidegrees / 1000;
  }
  return std::nullopt;
}

}  // namespace

std::vector<int> usable_cpus() {
  std::set<std::string> cores;
  std::vector<int> cpus;
  for (const int cpu : allowed_cpus()) {
    const std::string siblings = first_line(folder(cpu) / "topology/thread_siblings_list");
    if (siblings.empty() || cores.insert(siblings).second) cpus.push_back(cpu);
  }
  if (const auto quota = cgroup_cpus())
    cpus.resize(std::clamp<std::size_t>(static_cast<std::size_t>(*quota), 1, cpus.size()));
  return cpus;
}

std::int64_t last_level_cache_bytes(const std::vector<int>& cpus) {
  int last_level = 0;
  std::int64_t sum = 0;
  std::set<std::string> seen;
  for (const int cpu : cpus)
    for (const Cache& cache : caches_of(cpu)) {
      if (cache.level > last_level) {
        last_level = cache.level;
        sum = 0;
        seen.clear();
      }
      if (cache.level == last_level && seen.insert(cache.shared_by).second) sum += cache.bytes;
    }
  return sum;
}

std::int64_t total_memory() {
  return meminfo("MemTotal");
}

std::int64_t available_memory() {
  const std::int64_t available = meminfo("MemAvailable");
  const std::int64_t left = std::min(available, cgroup_memory_left().value_or(available));
  return std::min(total_memory(), left + kept_large_block_bytes());
}

DeviceInfo describe_machine(const std::vector<int>& cpus) {
  const std::int64_t cache = last_level_cache_bytes(cpus);
  const std::string governor = first_line(folder(cpus.front()) / "cpufreq/scaling_governor");
  return {
      .backend = "cpu",
      .name = or_unknown(field("/proc/cpuinfo", "model name")),
      .vendor = or_unknown(field("/proc/cpuinfo", "vendor_id")),
      .architecture = std::string(name(best_instruction_set())),
      .compute_units = static_cast<int>(cpus.size()),
      .memory_bytes = total_memory(),
      .last_level_cache_bytes = cache > 0 ? cache : assumed_last_level_cache_bytes,
      .shares_host_memory = true,
      .facts = {
          {"governor", or_unknown(governor)},
          {"huge_pages", chosen(first_line("/sys/kernel/mm/transparent_hugepage/enabled"))},
          {"instruction_sets", instruction_sets()},
          {"family", or_unknown(field("/proc/cpuinfo", "cpu family"))},
          {"model", or_unknown(field("/proc/cpuinfo", "model"))},
          {"microcode", or_unknown(field("/proc/cpuinfo", "microcode"))},
          {.name = "last_level_cache",
           .value = cache > 0 ? "listed by the system" : "assumed: the system lists no caches",
           .use = DeviceFact::note},
          {.name = "numa_nodes", .value = fmt::format("{}", numa_nodes()), .use = DeviceFact::note},
          limit_fact("container_cpus", cgroup_cpus(),
                     static_cast<double>(std::thread::hardware_concurrency())),
          limit_fact("container_memory_bytes_left", cgroup_memory_left(), total_memory())}};
}

Telemetry read_sensors(const std::vector<int>& cpus, PackageEnergy& energy) {
  Telemetry telemetry = {.clock_hz = mean_clock_hz(cpus),
                         .energy_joules = energy.joules(),
                         .temperature_celsius = package_temperature(),
                         .missing =
                             "power: the CPU counts energy, not power; memory clock, power "
                             "cap, memory errors, throttling: not read on CPUs"};
  const auto lacks = [&](std::string_view what) { telemetry.missing += fmt::format("; {}", what); };
  if (!telemetry.clock_hz) lacks("clock: neither cpufreq nor /proc/cpuinfo tells it");
  if (!telemetry.energy_joules)
    lacks("energy: no readable /sys/class/powercap/intel-rapl:*/energy_uj");
  if (!telemetry.temperature_celsius)
    lacks("temperature: no k10temp or coretemp in /sys/class/hwmon");
  return telemetry;
}

}  // namespace steelyard::cpu
