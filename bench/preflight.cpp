// SPDX-License-Identifier: Apache-2.0
#include "bench/preflight.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "bench/rows.h"
#include "reports/render.h"

namespace steelyard {
namespace {

// A device as it is before the run.
struct Subject {
  const DeviceInfo& info;
  std::int64_t free_bytes = 0;
  Telemetry sensors;
};

struct Finding {
  std::string value, reason, warning = {};
};

Finding unknown(std::string reason) {
  return {.value = {}, .reason = reason.empty() ? "not told" : std::move(reason)};
}

// A fact as it is; `judge` says what is wrong with its value, if anything.
Finding by_fact(const Subject& subject, std::string_view name,
                const std::function<std::string(const std::string&)>& judge) {
  const auto found = std::ranges::find(subject.info.facts, name, &DeviceFact::name);
  if (found == subject.info.facts.end()) return unknown("the driver does not tell");
  if (found->value.empty() || found->value == "unknown") return unknown(found->reason);
  return {.value = found->value, .reason = {}, .warning = judge(found->value)};
}

// Why a sensor has no value: its part of "power: no permission; temperature: not supported".
Finding absent(const Subject& subject, const std::string& sensor) {
  const std::string& missing = subject.sensors.missing;
  const auto begin = missing.find(sensor + ": ");
  if (begin == missing.npos) return unknown(missing);
  return unknown(missing.substr(begin, missing.find(';', begin) - begin));
}

std::string unless(bool fine, std::string warning) {
  return fine ? std::string() : std::move(warning);
}

double number(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}

Finding processes(const Subject& subject) {
  return by_fact(subject, "other_processes", [](const std::string& count) {
    return unless(count == "0", count + " other processes compute on it: end them");
  });
}

// Run times and this process take some: what is beyond belongs to somebody else.
Finding foreign_memory(const Subject& subject) {
  constexpr double own = 2.0 * (1 << 30);
  const double used = static_cast<double>(subject.info.memory_bytes - subject.free_bytes);
  return {.value = fmt::format("{:.0f}", used),
          .reason = {},
          .warning = unless(used < own, bytes(used) + " of its memory are in use by others")};
}

Finding memory_errors(const Subject& subject) {
  const auto& errors = subject.sensors.uncorrectable_errors;
  if (!errors) return absent(subject, "memory errors");
  return {.value = fmt::format("{}", *errors),
          .reason = {},
          .warning = unless(*errors == 0, fmt::format("{} uncorrectable memory errors", *errors))};
}

// NVIDIA replaces rows, AMD retires pages.
Finding replaced_memory(const Subject& subject) {
  const bool rows = !fact_value(subject.info, "remapped_rows").empty();
  return by_fact(subject, rows ? "remapped_rows" : "retired_pages", [](const std::string& count) {
    const bool due = count.find("pending") != count.npos || count.find("failed") != count.npos;
    return unless(!due, "replacing memory is not finished: reset or repair the GPU");
  });
}

Finding link_width(const Subject& subject) {
  const std::string widest = fact_value(subject.info, "pcie_width_max");
  return by_fact(subject, "pcie_width", [&](const std::string& width) {
    return unless(
        widest.empty() || number(width) >= number(widest),
        fmt::format("its PCIe link has {} of {} lanes: copies are slower", width, widest));
  });
}

// An idle link slows down by itself: the generation is told, not judged.
Finding link_speed(const Subject& subject) {
  return by_fact(subject, "pcie_generation", [](const std::string&) { return std::string(); });
}

Finding power_cap(const Subject& subject) {
  const std::string usual = fact_value(subject.info, "power_cap_default_watts");
  return by_fact(subject, "power_cap_watts", [&](const std::string& cap) {
    return unless(usual.empty() || number(cap) >= number(usual),
                  fmt::format("its power is capped at {} W, by default {} W", cap, usual));
  });
}

Finding clocks(const Subject& subject) {
  const auto& reasons = subject.sensors.throttle_reasons;
  if (!reasons.empty())
    return {.value = reasons.front(),
            .reason = {},
            .warning = "its clock is held down before anything runs: " + reasons.front()};
  if (!fact_value(subject.info, "performance_level").empty())
    return by_fact(subject, "performance_level", [](const std::string& level) {
      return unless(level == "auto", "its clocks are set by hand: " + level);
    });
  if (subject.sensors.missing.find("throttling") != std::string::npos)
    return absent(subject, "throttling");
  return {.value = "not held down", .reason = {}};
}

Finding partition(const Subject& subject) {
  if (!fact_value(subject.info, "mig").empty())
    return by_fact(subject, "mig", [](const std::string& mig) {
      return unless(mig == "off", "MIG is on: rows are of a slice of the GPU");
    });
  return by_fact(subject, "compute_partition", [](const std::string& mode) {
    return unless(mode == "SPX", mode + " divides the GPU: rows are of a part of it");
  });
}

Finding heat(const Subject& subject) {
  constexpr double hot = 80;
  const auto& celsius = subject.sensors.temperature_celsius;
  if (!celsius) return absent(subject, "temperature");
  return {.value = fmt::format("{:g}", *celsius),
          .reason = {},
          .warning = unless(*celsius < hot,
                            fmt::format("it is at {:g} °C before anything runs", *celsius))};
}

std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Whether a list such as "0-3,8" names a CPU that this process may run on.
bool reaches(const std::string& list) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  const char* at = list.c_str();
  while (*at >= '0' && *at <= '9') {
    char* end = nullptr;
    const long first = std::strtol(at, &end, 10);
    const long last = *end == '-' ? std::strtol(end + 1, &end, 10) : first;
    for (long cpu = first; cpu <= last && cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) return true;
    at = *end == ',' ? end + 1 : end;
  }
  return false;
}

// Whether the host's threads are near the GPU.
Finding numa_of_gpu(const Subject& subject) {
  std::string address = fact_value(subject.info, "pci_bus_id");
  std::ranges::transform(address, address.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::string node = line_of("/sys/bus/pci/devices/" + address + "/numa_node");
  if (node.empty() || node == "-1") return unknown("the system does not tell the GPU's node");
  const std::string cpus = line_of("/sys/devices/system/node/node" + node + "/cpulist");
  return {.value = node,
          .reason = {},
          .warning = unless(reaches(cpus), fmt::format("this process may not run on CPUs near it: "
                                                       "numactl --cpunodebind={}",
                                                       node))};
}

// Time of the CPUs that this process may run on: busy (also for other virtual machines) and all, in
// ticks since the machine started.
struct Ticks {
  double busy = 0, all = 0;
};
Ticks ticks() {
  Ticks sum;
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("cpu") || line.starts_with("cpu ")) continue;
    std::istringstream words(line.substr(3));
    std::string cpu;
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, stolen = 0;
    words >> cpu >> user >> nice >> system >> idle >> waiting >> irq >> softirq >> stolen;
    if (!reaches(cpu)) continue;
    sum.busy += user + nice + system + irq + softirq + stolen;
    sum.all += user + nice + system + irq + softirq + stolen + idle + waiting;
  }
  return sum;
}

// What runs beside this process, whose own threads may still spin. The load average would count
// what it did just before.
Finding others_share(const Subject&) {
  constexpr double most = 0.1;
  const auto own = [] {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC *
           static_cast<double>(sysconf(_SC_CLK_TCK));
  };
  const Ticks before = ticks();
  const double own_before = own();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const Ticks after = ticks();
  const double others = after.busy - before.busy - (own() - own_before);
  if (!(after.all > before.all)) return unknown("/proc/stat does not tell");
  const double share = std::max(0.0, others / (after.all - before.all));
  return {.value = fmt::format("{:.2f}", share),
          .reason = {},
          .warning =
              unless(share <= most, fmt::format("others take {:.0f} % of its time", 100 * share))};
}

Finding governor(const Subject& subject) {
  Finding found = by_fact(subject, "governor", [](const std::string& governor) {
    return unless(governor == "performance",
                  fmt::format("governor {}: the clock follows the load", governor));
  });
  if (found.value.empty()) found.reason = "no cpufreq: a virtual machine, or another driver";
  return found;
}

Finding numa_of_cpu(const Subject& subject) {
  return by_fact(subject, "numa_nodes", [](const std::string& nodes) {
    return unless(number(nodes) <= 1, nodes + " NUMA nodes: bind the process to one (numactl)");
  });
}

Finding container_cpus(const Subject& subject) {
  return by_fact(subject, "container_cpus", [](const std::string& cpus) {
    return unless(cpus == "none", fmt::format("a control group allows {} CPUs", cpus));
  });
}

Finding container_memory(const Subject& subject) {
  return by_fact(subject, "container_memory_bytes_left",
                 [](const std::string&) { return std::string(); });
}

struct Question {
  std::string_view name;
  Finding (*ask)(const Subject&);
};
constexpr Question of_gpus[] = {
    {"other_processes", processes},   {"memory_in_use_bytes", foreign_memory},
    {"memory_errors", memory_errors}, {"replaced_memory", replaced_memory},
    {"pcie_width", link_width},       {"pcie_generation", link_speed},
    {"power_cap_watts", power_cap},   {"clocks", clocks},
    {"partition", partition},         {"numa_node", numa_of_gpu},
    {"temperature_celsius", heat}};
constexpr Question of_cpus[] = {{"others_share", others_share},
                                {"governor", governor},
                                {"numa_nodes", numa_of_cpu},
                                {"container_cpus", container_cpus},
                                {"container_memory_bytes_left", container_memory},
                                {"temperature_celsius", heat}};

}  // namespace

std::vector<Check> preflight(std::span<Device* const> devices) {
  std::vector<Check> checks;
  for (Device* device : devices) {
    const Subject subject = {device->info(), device->free_bytes(), device->telemetry()};
    if (subject.info.emulated) continue;
    const std::span<const Question> questions =
        subject.info.shares_host_memory ? std::span<const Question>(of_cpus) : of_gpus;
    for (const auto& [name, ask] : questions) {
      Finding found = ask(subject);
      checks.push_back({device_id(subject.info), std::string(name), std::move(found.value),
                        std::move(found.reason), std::move(found.warning)});
    }
  }
  return checks;
}

Fields fields(const Check& check) {
  Fields all = {{"device", check.device}, {"check", check.name}};
  if (check.value.empty()) {
    all.emplace_back("value", nullptr);
    all.emplace_back("value_reason", check.reason);
  } else {
    all.emplace_back("value", check.value);
  }
  if (!check.warning.empty()) all.emplace_back("warning", check.warning);
  return all;
}

}  // namespace steelyard
