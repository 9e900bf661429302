// SPDX-License-Identifier: Apache-2.0
// Constants and signatures are those of the NVML API reference manual.
#include "backends/cuda/telemetry.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace steelyard::cuda {
namespace {

constexpr int sm_clock = 1, memory_clock = 2;  // nvmlClockType_t
constexpr int gpu_die = 0;                     // nvmlTemperatureSensors_t
constexpr int uncorrected = 1;                 // nvmlMemoryErrorType_t
constexpr int since_driver_load = 0;           // nvmlEccCounterType_t: volatile

constexpr std::uint64_t idle = 0x1;  // a clock event, but it holds down no clock that work needs
constexpr NamedBit clock_events[] = {{0x2, "applications_clocks_setting"},
                                     {0x4, "sw_power_cap"},
                                     {0x8, "hw_slowdown"},
                                     {0x10, "sync_boost"},
                                     {0x20, "sw_thermal_slowdown"},
                                     {0x40, "hw_thermal_slowdown"},
                                     {0x80, "hw_power_brake_slowdown"},
                                     {0x100, "display_clock_setting"}};

struct Policy {
  int type;  // nvmlPerfPolicyType_t
  const char* name;
};
constexpr Policy policies[] = {{0, "power_violation"},
                               {1, "thermal_violation"},
                               {2, "sync_boost_violation"},
                               {3, "board_limit_violation"},
                               {5, "reliability_violation"}};

struct ViolationTime {  // nvmlViolationTime_t
  unsigned long long reference_microseconds = 0, violation_nanoseconds = 0;
};

struct Process {  // nvmlProcessInfo_t
  unsigned pid = 0;
  unsigned long long memory_bytes = 0;
  unsigned gpu_instance = 0, compute_instance = 0;
};

using One = std::ratio<1>;

std::string words(Library& library, int status) {
  auto* const text = library.find<const char*(int)>("nvmlErrorString");
  return text ? text(status) : fmt::format("status {}", status);
}

}  // namespace

Nvml::Nvml(Library library) : library_(std::move(library)), absent_(library_.missing()) {
  if (absent_.empty()) absent_ = call("nvmlInit_v2");
}

Nvml::~Nvml() {
  if (absent_.empty()) call("nvmlShutdown");
}

template <class... Arguments>
std::string Nvml::call(const char* function, Arguments... arguments) {
  return ask(library_, words, function, arguments...);
}

// `Unit` is what the function counts in, as a ratio of the SI unit.
template <class Unit, class Number, class... Arguments>
Answer<double> Nvml::number(const char* function, Arguments... arguments) {
  Number value = 0;
  std::string failure = call(function, arguments..., &value);
  if (!failure.empty()) return {.value = {}, .reason = std::move(failure)};
  return {.value = si<Unit>(value), .reason = {}};
}

template <class... Arguments>
Answer<std::string> Nvml::text(const char* function, Arguments... arguments) {
  std::array<char, 96> buffer = {};  // as long as the longest the manual asks for
  const auto size = static_cast<unsigned>(buffer.size());
  std::string failure = call(function, arguments..., buffer.data(), size);
  if (!failure.empty()) return {.value = {}, .reason = std::move(failure)};
  return {.value = buffer.data(), .reason = {}};
}

Answer<Nvml::Gpu> Nvml::find(const std::string& pci_bus_id) {
  if (!absent_.empty()) return {.value = {}, .reason = absent_};
  Gpu gpu = nullptr;
  std::string failure = call("nvmlDeviceGetHandleByPciBusId_v2", pci_bus_id.c_str(), &gpu);
  if (!failure.empty()) return {.value = {}, .reason = std::move(failure)};
  return {.value = gpu, .reason = {}};
}

Answer<std::string> Nvml::mode(const char* function, Gpu gpu) {
  unsigned current = 0, pending = 0;  // pending: after the next reset
  std::string failure = call(function, gpu, &current, &pending);
  if (!failure.empty()) return {.value = {}, .reason = std::move(failure)};
  return {.value = current ? "on" : "off", .reason = {}};
}

// Compute processes on the GPU that are not this one.
Answer<std::string> Nvml::other_processes(Gpu gpu) {
  std::array<Process, 128> processes = {};
  auto count = static_cast<unsigned>(processes.size());
  std::string failure =
      call("nvmlDeviceGetComputeRunningProcesses_v3", gpu, &count, processes.data());
  if (!failure.empty()) return {.value = {}, .reason = std::move(failure)};
  const auto others = std::count_if(processes.begin(), processes.begin() + count,
                                    [own = getpid()](const Process& process) {
                                      return process.pid != static_cast<unsigned>(own);
                                    });
  return {.value = fmt::format("{}", others), .reason = {}};
}

// Rows of the memory that were replaced by spare ones, and whether a reset or a repair is due.
Answer<std::string> Nvml::remapped_rows(Gpu gpu) {
  unsigned correctable = 0, uncorrectable = 0, pending = 0, failed = 0;
  std::string failure =
      call("nvmlDeviceGetRemappedRows", gpu, &correctable, &uncorrectable, &pending, &failed);
  if (!failure.empty()) return {.value = {}, .reason = std::move(failure)};
  return {.value = fmt::format("{}{}{}", correctable + uncorrectable, pending ? " pending" : "",
                               failed ? " failed" : ""),
          .reason = {}};
}

void Nvml::describe(const std::string& pci_bus_id, DeviceInfo& info) {
  const std::scoped_lock lock(mutex_);
  const Answer<Gpu> found = find(pci_bus_id);
  if (!found.value) {
    info.facts.push_back({.name = "nvml", .reason = found.reason, .use = DeviceFact::note});
    return;
  }
  const Gpu gpu = *found.value;
  if (auto driver = text("nvmlSystemGetDriverVersion").value) info.driver = *driver;
  if (info.uuid.empty()) info.uuid = text("nvmlDeviceGetUUID", gpu).value.value_or("");

  const auto limit = [&](const char* function) {
    return number<std::milli, unsigned>(function, gpu);
  };
  const auto clock = [&](const char* function, int type) {
    return number<std::mega, unsigned>(function, gpu, type);
  };
  const auto link = [&](const char* function) { return number<One, unsigned>(function, gpu); };
  for (DeviceFact& added : std::vector{
           fact("nvml", text("nvmlSystemGetNVMLVersion"), DeviceFact::note),
           fact("power_cap_watts", limit("nvmlDeviceGetEnforcedPowerLimit")),
           fact("power_cap_default_watts", limit("nvmlDeviceGetPowerManagementDefaultLimit")),
           fact("ecc", mode("nvmlDeviceGetEccMode", gpu)),
           fact("mig", mode("nvmlDeviceGetMigMode", gpu)),
           fact("vbios", text("nvmlDeviceGetVbiosVersion", gpu)),
           fact("clock_max_hz", clock("nvmlDeviceGetMaxClockInfo", sm_clock)),
           fact("memory_clock_max_hz", clock("nvmlDeviceGetMaxClockInfo", memory_clock)),
           fact("applications_clock_hz", clock("nvmlDeviceGetApplicationsClock", sm_clock)),
           fact("applications_memory_clock_hz",
                clock("nvmlDeviceGetApplicationsClock", memory_clock)),
           fact("pcie_generation_max", link("nvmlDeviceGetMaxPcieLinkGeneration")),
           fact("pcie_width_max", link("nvmlDeviceGetMaxPcieLinkWidth")),
           // An idle link may slow down, so that these two are no conditions.
           fact("pcie_generation", link("nvmlDeviceGetCurrPcieLinkGeneration"), DeviceFact::note),
           fact("pcie_width", link("nvmlDeviceGetCurrPcieLinkWidth"), DeviceFact::note),
           fact("other_processes", other_processes(gpu), DeviceFact::note),
           fact("remapped_rows", remapped_rows(gpu), DeviceFact::note),
           DeviceFact{.name = "pci_bus_id", .value = pci_bus_id, .use = DeviceFact::note},
       })
    info.facts.push_back(std::move(added));
}

Telemetry Nvml::read(const std::string& pci_bus_id) {
  const std::scoped_lock lock(mutex_);
  Telemetry now;
  const Answer<Gpu> found = find(pci_bus_id);
  if (!found.value) return {.missing = found.reason};
  const Gpu gpu = *found.value;
  const auto sensor = [&](std::string_view name, Answer<double> answer) {
    return take(name, std::move(answer), now.missing);
  };
  const bool mig = mode("nvmlDeviceGetMigMode", gpu).value == "on";
  const auto own = [&](Answer<double> answer) {
    return mig ? Answer<double>{{}, "MIG is on and all instances share the sensor"} : answer;
  };
  now.clock_hz =
      sensor("clock", number<std::mega, unsigned>("nvmlDeviceGetClockInfo", gpu, sm_clock));
  now.memory_clock_hz = sensor(
      "memory clock", number<std::mega, unsigned>("nvmlDeviceGetClockInfo", gpu, memory_clock));
  now.power_watts =
      sensor("power", own(number<std::milli, unsigned>("nvmlDeviceGetPowerUsage", gpu)));
  now.power_cap_watts =
      sensor("power cap", number<std::milli, unsigned>("nvmlDeviceGetEnforcedPowerLimit", gpu));
  now.energy_joules = sensor("energy", own(number<std::milli, unsigned long long>(
                                           "nvmlDeviceGetTotalEnergyConsumption", gpu)));
  now.temperature_celsius =
      sensor("temperature", number<One, unsigned>("nvmlDeviceGetTemperature", gpu, gpu_die));
  if (const auto errors = sensor("memory errors",
                                 number<One, unsigned long long>("nvmlDeviceGetTotalEccErrors", gpu,
                                                                 uncorrected, since_driver_load)))
    now.uncorrectable_errors = static_cast<std::int64_t>(*errors);
  now.throttle_reasons = throttle_reasons(gpu, now.missing);
  for (std::string& name : violations(gpu, now.missing))
    now.throttle_reasons.push_back(std::move(name));
  return now;
}

std::vector<std::string> Nvml::throttle_reasons(Gpu gpu, std::string& missing) {
  unsigned long long events = 0;
  std::string failure = call("nvmlDeviceGetCurrentClocksEventReasons", gpu, &events);
  if (!failure.empty())  // drivers before 535 know it by another name
    failure = call("nvmlDeviceGetCurrentClocksThrottleReasons", gpu, &events);
  if (failure.empty()) return set_bits(events & ~idle, clock_events);
  take("throttling", Answer<double>{{}, std::move(failure)}, missing);
  return {};
}

// The policies that held the clocks down since the previous reading, by the times NVML counts.
std::vector<std::string> Nvml::violations(Gpu gpu, std::string& missing) {
  std::vector<std::string> names;
  std::map<std::string, std::string> uncounted;  // policies by the reason
  for (const auto& [type, name] : policies) {
    ViolationTime time;
    const std::string failure = call("nvmlDeviceGetViolationStatus", gpu, type, &time);
    if (!failure.empty()) {
      std::string& same = uncounted[failure];
      same += fmt::format("{}{}", same.empty() ? "" : ", ", name);
      continue;
    }
    const auto [earlier, first] =
        violation_times_.try_emplace({gpu, type}, time.violation_nanoseconds);
    if (time.violation_nanoseconds > earlier->second) names.emplace_back(name);
    earlier->second = time.violation_nanoseconds;
  }
  for (const auto& [reason, policy] : uncounted) take(policy, Answer<double>{{}, reason}, missing);
  return names;
}

}  // namespace steelyard::cuda
