// SPDX-License-Identifier: Apache-2.0
#include "backends/hip/telemetry.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

#include "backends/hip/amd_smi.h"

namespace steelyard::hip {
namespace {

using namespace amd_smi;

using One = std::ratio<1>;

// The driver's names of throttlers, alike for all generations (gpu_metrics, v1.3).
constexpr NamedBit throttlers[] = {
    {1ull << 0, "ppt0"},          {1ull << 1, "ppt1"},          {1ull << 2, "ppt2"},
    {1ull << 3, "ppt3"},          {1ull << 4, "spl"},           {1ull << 5, "fppt"},
    {1ull << 6, "sppt"},          {1ull << 7, "sppt_apu"},      {1ull << 16, "tdc_gfx"},
    {1ull << 17, "tdc_soc"},      {1ull << 18, "tdc_mem"},      {1ull << 19, "tdc_vdd"},
    {1ull << 20, "tdc_cvip"},     {1ull << 21, "edc_cpu"},      {1ull << 22, "edc_gfx"},
    {1ull << 23, "apcc"},         {1ull << 32, "temp_gpu"},     {1ull << 33, "temp_core"},
    {1ull << 34, "temp_mem"},     {1ull << 35, "temp_edge"},    {1ull << 36, "temp_hotspot"},
    {1ull << 37, "temp_soc"},     {1ull << 38, "temp_vr_gfx"},  {1ull << 39, "temp_vr_soc"},
    {1ull << 40, "temp_vr_mem0"}, {1ull << 41, "temp_vr_mem1"}, {1ull << 42, "temp_liquid0"},
    {1ull << 43, "temp_liquid1"}, {1ull << 44, "vrhot0"},       {1ull << 45, "vrhot1"},
    {1ull << 46, "prochot_cpu"},  {1ull << 47, "prochot_gfx"},  {1ull << 56, "ppm"},
    {1ull << 57, "fit"}};

// Counters of the time spent throttled, in the order of the metrics table. ppt: package power.
constexpr std::array residency_names = {"prochot_residency", "ppt_residency",
                                        "socket_thermal_residency", "vr_thermal_residency",
                                        "hbm_thermal_residency"};

std::string words(Library& library, int status) {
  const char* text = nullptr;
  auto* const translate = library.find<int(int, const char**)>("amdsmi_status_code_to_string");
  if (translate && translate(status, &text) == 0 && text) return text;
  return fmt::format("status {}", status);
}

// Numbers that a generation lacks have all bits set; some of 16 bits were widened afterwards.
template <class Number>
bool given(Number number) {
  constexpr bool widened = sizeof(Number) == 4;
  return number != std::numeric_limits<Number>::max() && !(widened && number == 0xFFFF);
}

// What `convert` makes of a value, where there is one.
template <class From, class Convert>
std::invoke_result_t<Convert, const From&> then(const Answer<From>& from, Convert convert) {
  if (!from.value) return {.value = {}, .reason = from.reason};
  return convert(*from.value);
}

template <class Unit, class Number>
Answer<double> scaled(Number number) {
  if (!given(number) || number == 0) return {.value = {}, .reason = "the driver gives no number"};
  return {.value = si<Unit>(number), .reason = {}};
}

// The power of a package, or its energy: the driver gives 0 to all of its dies but the first.
template <class Number>
Answer<double> of_package(Number number) {
  if (number == 0)
    return {.value = {}, .reason = "0 is read, as on the second die of a package: ask the first"};
  return scaled<One>(number);
}

Answer<std::string> nonempty(std::string text) {
  if (text.empty() || text == "N/A") return {.value = {}, .reason = "the driver gives no text"};
  return {.value = std::move(text), .reason = {}};
}

// Fields of a structure end at a zero or where they are full.
std::string text(const Text& field) {
  return {field, strnlen(field, sizeof field)};
}

// amdsmi_bdf_t: function, device, bus and domain, from the lowest bit.
std::optional<std::uint64_t> parse_bus_id(const std::string& text) {
  unsigned domain = 0, bus = 0, device = 0, function = 0;
  if (std::sscanf(text.c_str(), "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4) return {};
  return std::uint64_t{domain} << 16 | bus << 8 | device << 3 | function;
}

Answer<double> pcie_generation(std::uint32_t megatransfers_per_second) {
  constexpr std::array<std::uint32_t, 6> speeds = {2500, 5000, 8000, 16000, 32000, 64000};
  for (std::size_t i = 0; i < speeds.size(); ++i)
    if (speeds[i] == megatransfers_per_second)
      return {.value = static_cast<double>(i + 1), .reason = {}};
  return {.value = {},
          .reason = fmt::format("{} MT/s is the speed of no generation", megatransfers_per_second)};
}

}  // namespace

AmdSmi::AmdSmi(Library library) : library_(std::move(library)), absent_(library_.missing()) {
  if (absent_.empty()) absent_ = start();
}

AmdSmi::~AmdSmi() {
  if (absent_.empty()) call("amdsmi_shut_down");
}

std::string AmdSmi::start() {
  const Answer<Version> version = value<Version>("amdsmi_get_lib_version");
  if (!version.value) return version.reason;
  version_ = version.value->major;
  if (version_ < oldest_version || version_ > newest_version)
    return fmt::format("AMD SMI {} lays out its answers in another way than {} to {}", version_,
                       oldest_version, newest_version);
  return call("amdsmi_init", gpus);
}

template <class... Arguments>
std::string AmdSmi::call(const char* function, Arguments... arguments) {
  return ask(library_, words, function, arguments...);
}

// Of a function whose last parameter receives the value.
template <class Value, class... Arguments>
Answer<Value> AmdSmi::value(const char* function, Arguments... arguments) {
  Answer<Value> answer = {.value = Value{}, .reason = {}};
  answer.reason = call(function, arguments..., &*answer.value);
  if (!answer.reason.empty()) answer.value.reset();
  return answer;
}

Answer<AmdSmi::Gpu> AmdSmi::find(const std::string& pci_bus_id) {
  if (!absent_.empty()) return {.value = {}, .reason = absent_};
  const auto bus_id = parse_bus_id(pci_bus_id);
  if (!bus_id) return {.value = {}, .reason = pci_bus_id + " is no PCI bus id"};
  return value<Gpu>("amdsmi_get_processor_handle_from_bdf", *bus_id);
}

Answer<std::string> AmdSmi::partition(const char* function, Gpu gpu) {
  Text mode = {};
  std::string failure = call(function, gpu, &mode[0], std::uint32_t{sizeof mode});
  if (!failure.empty()) return {.value = {}, .reason = std::move(failure)};
  return nonempty(text(mode));
}

void AmdSmi::describe(const std::string& pci_bus_id, DeviceInfo& info) {
  const std::scoped_lock lock(mutex_);
  const Answer<Gpu> found = find(pci_bus_id);
  if (!found.value) {
    info.facts.push_back({.name = "amd_smi", .reason = found.reason, .use = DeviceFact::note});
    return;
  }
  const Gpu gpu = *found.value;
  const auto driver = then(value<Driver>("amdsmi_get_gpu_driver_info", gpu),
                           [](const Driver& d) { return nonempty(text(d.version)); });
  if (driver.value) info.driver = *driver.value;
  if (info.uuid.empty()) info.uuid = uuid(gpu);

  info.facts.push_back(
      {.name = "amd_smi", .value = fmt::format("{}", version_), .use = DeviceFact::note});
  info.facts.push_back({.name = "pci_bus_id", .value = pci_bus_id, .use = DeviceFact::note});
  for (auto group :
       {&AmdSmi::identity, &AmdSmi::modes, &AmdSmi::limits, &AmdSmi::link, &AmdSmi::health})
    for (DeviceFact& added : (this->*group)(gpu)) info.facts.push_back(std::move(added));
}

std::vector<DeviceFact> AmdSmi::identity(Gpu gpu) {
  const auto vbios = value<Vbios>("amdsmi_get_gpu_vbios_info", gpu);
  const auto board = value<Board>("amdsmi_get_gpu_board_info", gpu);
  return {fact("vbios", then(vbios, [](const Vbios& v) { return nonempty(text(v.part_number)); })),
          fact("package", then(board, [](const Board& b) { return nonempty(text(b.serial)); }),
               DeviceFact::identity)};
}

std::vector<DeviceFact> AmdSmi::modes(Gpu gpu) {
  return {fact("ecc", ecc(gpu)),
          fact("compute_partition", partition("amdsmi_get_gpu_compute_partition", gpu)),
          fact("memory_partition", partition("amdsmi_get_gpu_memory_partition", gpu)),
          fact("performance_level", performance_level(gpu))};
}

std::vector<DeviceFact> AmdSmi::limits(Gpu gpu) {
  const auto cap = value<PowerCap>("amdsmi_get_power_cap_info", gpu, first_sensor);
  const auto clock = value<Clock>("amdsmi_get_clock_info", gpu, gfx_clock);
  const auto memory = value<Clock>("amdsmi_get_clock_info", gpu, memory_clock);
  const auto now = [](const PowerCap& c) { return scaled<std::micro>(c.microwatts); };
  const auto usual = [](const PowerCap& c) { return scaled<std::micro>(c.default_microwatts); };
  const auto max = [](const Clock& c) { return scaled<std::mega>(c.max_megahertz); };
  return {fact("power_cap_watts", then(cap, now)),
          fact("power_cap_default_watts", then(cap, usual)),
          DeviceFact{.name = "power_scope", .value = "package", .use = DeviceFact::note},
          fact("clock_max_hz", then(clock, max)), fact("memory_clock_max_hz", then(memory, max))};
}

// An idle link may slow down: what it does now is no condition.
std::vector<DeviceFact> AmdSmi::link(Gpu gpu) {
  const auto pcie = value<Pcie>("amdsmi_get_pcie_info", gpu);
  const auto max_generation = [](const Pcie& p) { return scaled<One>(p.max_generation); };
  const auto max_width = [](const Pcie& p) { return scaled<One>(p.max_width); };
  const auto generation = [](const Pcie& p) { return pcie_generation(p.megatransfers_per_second); };
  const auto width = [](const Pcie& p) { return scaled<One>(p.width); };
  return {fact("pcie_generation_max", then(pcie, max_generation)),
          fact("pcie_width_max", then(pcie, max_width)),
          fact("pcie_generation", then(pcie, generation), DeviceFact::note),
          fact("pcie_width", then(pcie, width), DeviceFact::note)};
}

// Who else uses the GPU, and pages of its memory that are out of use.
std::vector<DeviceFact> AmdSmi::health(Gpu gpu) {
  constexpr std::uint32_t room = 128;
  const auto list = std::make_unique<std::array<Process, room>>();
  std::uint32_t count = room;
  Answer<std::string> others;
  others.reason = call("amdsmi_get_gpu_process_list", gpu, &count, list->data());
  if (others.reason.empty()) {
    const auto is_other = [own = static_cast<std::uint32_t>(getpid())](const Process& process) {
      return process.pid != own;
    };
    others.value = fmt::format(
        "{}", std::count_if(list->begin(), list->begin() + std::min(count, room), is_other));
  }
  std::uint32_t pages = 0;
  Answer<std::string> retired;
  retired.reason =
      call("amdsmi_get_gpu_bad_page_info", gpu, &pages, static_cast<void*>(nullptr));  // counts
  if (retired.reason.empty()) retired.value = fmt::format("{}", pages);
  return {fact("other_processes", others, DeviceFact::note),
          fact("retired_pages", retired, DeviceFact::note)};
}

Answer<std::string> AmdSmi::ecc(Gpu gpu) {
  return then(value<std::uint64_t>("amdsmi_get_gpu_ecc_enabled", gpu), [](std::uint64_t blocks) {
    return nonempty(blocks & memory_controller_block ? "on" : "off");
  });
}

Answer<std::string> AmdSmi::performance_level(Gpu gpu) {
  return then(value<unsigned>("amdsmi_get_gpu_perf_level", gpu), [](unsigned level) {
    return nonempty(level < performance_levels.size() ? performance_levels[level] : "");
  });
}

std::string AmdSmi::uuid(Gpu gpu) {
  Text uuid = {};
  unsigned length = sizeof uuid - 1;
  return call("amdsmi_get_gpu_device_uuid", gpu, &length, &uuid[0]).empty() ? text(uuid) : "";
}

Answer<double> AmdSmi::power(Gpu gpu) {
  return then(value<Power>("amdsmi_get_power_info", gpu), [](const Power& p) {
    return of_package(given(p.current_watts) ? p.current_watts : p.average_watts);
  });
}

Answer<double> AmdSmi::energy(Gpu gpu) {
  std::uint64_t count = 0, nanoseconds = 0;
  float microjoules = 0;
  std::string failure = call("amdsmi_get_energy_count", gpu, &count, &microjoules, &nanoseconds);
  if (!failure.empty()) return {.value = {}, .reason = std::move(failure)};
  Answer<double> counts = of_package(count);
  if (counts.value) *counts.value *= microjoules / 1e6;
  return counts;
}

Telemetry AmdSmi::read(const std::string& pci_bus_id) {
  const std::scoped_lock lock(mutex_);
  Telemetry now;
  const Answer<Gpu> found = find(pci_bus_id);
  if (!found.value) return {.missing = found.reason};
  const Gpu gpu = *found.value;
  const auto sensor = [&](std::string_view name, Answer<double> answer) {
    return take(name, std::move(answer), now.missing);
  };
  const auto hertz = [](const Clock& c) { return scaled<std::mega>(c.megahertz); };
  const auto mode = partition("amdsmi_get_gpu_compute_partition", gpu).value.value_or("SPX");
  const auto own = [&](Answer<double> answer) {
    return mode == "SPX"
               ? answer
               : Answer<double>{{}, fmt::format("all partitions ({}) share the sensor", mode)};
  };
  now.clock_hz =
      sensor("clock", then(value<Clock>("amdsmi_get_clock_info", gpu, gfx_clock), hertz));
  now.memory_clock_hz =
      sensor("memory clock", then(value<Clock>("amdsmi_get_clock_info", gpu, memory_clock), hertz));
  now.power_watts = sensor("power", own(power(gpu)));
  now.power_cap_watts =
      sensor("power cap", then(value<PowerCap>("amdsmi_get_power_cap_info", gpu, first_sensor),
                               [](const PowerCap& c) { return scaled<std::micro>(c.microwatts); }));
  now.energy_joules = sensor("energy", own(energy(gpu)));
  now.temperature_celsius =
      sensor("temperature",
             then(value<std::int64_t>("amdsmi_get_temp_metric", gpu, hottest_spot, current_value),
                  [](std::int64_t celsius) {
                    return Answer<double>{static_cast<double>(celsius), {}};
                  }));
  const auto errors =
      take("memory errors", value<ErrorCount>("amdsmi_get_gpu_total_ecc_count", gpu), now.missing);
  if (errors) now.uncorrectable_errors = static_cast<std::int64_t>(errors->uncorrectable);
  now.throttle_reasons = throttle_reasons(gpu, now.missing);
  return now;
}

std::vector<std::string> AmdSmi::throttle_reasons(Gpu gpu, std::string& missing) {
  const auto table = std::make_unique<Metrics>();
  std::string failure = call("amdsmi_get_gpu_metrics_info", gpu, table.get());
  const MetricsLayout layout = metrics_layout(version_);
  std::uint64_t status = 0;
  Residencies residencies = {};
  std::memcpy(&status, &table->bytes[layout.throttle_status], sizeof status);
  std::memcpy(&residencies, &table->bytes[layout.residencies], sizeof residencies);
  if (failure.empty() && !given(status) && !given(residencies[0]))
    failure = "this GPU tells neither what throttles nor what did";
  if (!failure.empty()) {
    take("throttling", Answer<double>{{}, std::move(failure)}, missing);
    return {};
  }
  auto names = given(status) ? set_bits(status, throttlers) : std::vector<std::string>();
  const auto [earlier, first] = residencies_.try_emplace(gpu, residencies);
  for (std::size_t i = 0; i < residencies.size(); ++i)
    if (given(residencies[i]) && residencies[i] > earlier->second[i])
      names.emplace_back(residency_names[i]);
  earlier->second = residencies;
  return names;
}

}  // namespace steelyard::hip
