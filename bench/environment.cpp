// SPDX-License-Identifier: Apache-2.0
#include "bench/environment.h"

#include <benchmark/benchmark.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "bench/build_info.h"
#include "bench/measure.h"
#include "bench/rows.h"

namespace steelyard {
namespace {

// First line of a file of /proc or /sys; null and why when it cannot be read.
void add_file(Fields& fields, const std::string& name, const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (std::getline(file, line)) {
    fields.emplace_back(name, line);
  } else {
    fields.emplace_back(name, nullptr);
    fields.emplace_back(name + "_reason", path + " cannot be read");
  }
}

void add_text(Fields& fields, const std::string& name, const std::string& text,
              const std::string& reason) {
  if (!text.empty()) {
    fields.emplace_back(name, text);
  } else {
    fields.emplace_back(name, nullptr);
    fields.emplace_back(name + "_reason", reason);
  }
}

std::string hashed(const std::string& text, const Options& options) {
  if (!options.anonymise || text.empty()) return text;
  return comparability({{"name", text}})->key.substr(0, 12);
}

std::string operating_system() {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("PRETTY_NAME=\"")) return line.substr(13, line.size() - 14);
  return {};
}

Fields host_fields() {
  utsname system = {};
  uname(&system);
  Fields host = {{"kernel", std::string(system.release)}, {"machine", std::string(system.machine)}};
  add_text(host, "operating_system", operating_system(), "/etc/os-release has no PRETTY_NAME");
  add_file(host, "cpu_governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  add_file(host, "transparent_hugepages", "/sys/kernel/mm/transparent_hugepage/enabled");
  add_file(host, "smt", "/sys/devices/system/cpu/smt/control");
  add_file(host, "numa_balancing", "/proc/sys/kernel/numa_balancing");
  add_file(host, "hypervisor", "/sys/class/dmi/id/sys_vendor");
  host.emplace_back("container", std::filesystem::exists("/.dockerenv") ||
                                     std::filesystem::exists("/run/.containerenv"));
  return host;
}

Fields build_fields() {
  Fields build = {{"version", std::string(suite_version)}};
  add_text(build, "commit", build_info.commit, "built outside a git checkout");
  build.emplace_back("dirty", build_info.dirty);
  build.emplace_back("compiler", std::string(build_info.compiler));
  build.emplace_back("flags", std::string(build_info.flags));
  build.emplace_back("build_type", std::string(build_info.build_type));
  return build;
}

Fields device_fields(const DeviceInfo& info, const Options& options) {
  Fields device = {{"id", device_id(info)},
                   {"name", info.name},
                   {"vendor", info.vendor},
                   {"architecture", info.architecture},
                   {"unit", info.unit},
                   {"compute_units", static_cast<std::int64_t>(info.compute_units)},
                   {"memory_bytes", info.memory_bytes},
                   {"last_level_cache_bytes", info.last_level_cache_bytes},
                   {"fp8_encoding", std::string(name(info.fp8))},
                   {"emulated", info.emulated}};
  add_text(device, "uuid", hashed(info.uuid, options), "this device has none");
  add_text(device, "driver", info.driver, "this device needs none");
  for (const DeviceFact& fact : info.facts)
    add_text(device, fact.name,
             fact.use == DeviceFact::identity ? hashed(fact.value, options) : fact.value,
             fact.reason);
  return device;
}

// Back-to-back reads of the host's clock: the floor of what a window can tell.
Fields timer_fields() {
  using Clock = std::chrono::steady_clock;
  std::vector<double> nanoseconds(1001);
  for (double& reading : nanoseconds) {
    const auto start = Clock::now();
    reading = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  }
  std::ranges::sort(nanoseconds);
  return {{"clock", std::string("steady_clock")},
          {"overhead_p50_ns", nanoseconds[500]},
          {"overhead_p99_ns", nanoseconds[990]}};
}

Fields settings_fields(const Options& options) {
  std::vector<std::string> axes;
  for (const Axis& axis : options.axes)
    axes.push_back(fmt::format("{}={}", axis.name, fmt::join(axis.values, ",")));
  Fields settings = {{"suite", std::string(name(options.suite))},
                     {"axes", fmt::format("{}", fmt::join(axes, " "))},
                     {"device", fmt::format("{}", fmt::join(options.devices, ","))},
                     {"kernel", options.kernel},
                     {"tier", options.tier ? std::string(name(*options.tier)) : std::string()},
                     {"filter", options.filter},
                     {"cache", std::string(name(options.cache))},
                     {"fill", std::string(name(options.fill))},
                     {"seed", static_cast<std::int64_t>(options.seed)},
                     {"mode", std::string(name(options.mode))},
                     {"min_samples", static_cast<std::int64_t>(options.min_samples)},
                     {"repetitions", static_cast<std::int64_t>(options.repetitions)},
                     {"together", options.together},
                     {"energy", options.energy},
                     {"data_sensitivity", options.data_sensitivity},
                     {"strict", options.strict},
                     {"anonymise", options.anonymise}};
  if (options.budget_seconds) settings.emplace_back("budget_seconds", *options.budget_seconds);
  return settings;
}

// Google Benchmark's own context, so that its tools read the file as theirs.
void add_google_context(Context& context, const std::string& executable, const Options& options) {
  const benchmark::CPUInfo& cpu = benchmark::CPUInfo::Get();
  const auto now = std::chrono::system_clock::now();
  context.google = {{"date", fmt::format("{:%FT%T}+00:00",
                                         fmt::gmtime(std::chrono::system_clock::to_time_t(now)))},
                    {"host_name", host_name(options)},
                    {"executable", executable},
                    {"num_cpus", static_cast<std::int64_t>(cpu.num_cpus)},
                    {"mhz_per_cpu", static_cast<std::int64_t>(cpu.cycles_per_second / 1e6)},
                    {"cpu_scaling_enabled", cpu.scaling == benchmark::CPUInfo::ENABLED},
                    {"library_build_type", std::string("release")}};
  for (const auto& cache : cpu.caches)
    context.caches.push_back({cache.type, cache.level, cache.size, cache.num_sharing});
  context.load_average = cpu.load_avg;
}

}  // namespace

std::string host_name(const Options& options) {
  char text[256] = {};
  gethostname(text, sizeof text - 1);
  return hashed(text, options);
}

std::string utc_stamp() {
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::time(nullptr)));
}

Context capture_environment(const std::string& family, const Options& options,
                            std::span<const std::unique_ptr<Device>> devices,
                            const Inspection& inspection, int argc, char** argv) {
  const std::string_view suite = options.axes.empty() ? name(options.suite) : "sweep";
  Context context = {.suite = fmt::format("{} {}", family, suite),
                     .build = build_fields(),
                     .host = host_fields(),
                     .timer = timer_fields(),
                     .settings = settings_fields(options)};
  add_google_context(context, std::filesystem::path(argv[0]).filename(), options);
  for (const auto& device : devices) {
    Fields& entry = context.devices.emplace_back(device_fields(device->info(), options));
    const auto calibration = inspection.calibrations.find(device.get());
    if (calibration != inspection.calibrations.end())
      std::ranges::move(calibration->second.fields(), std::back_inserter(entry));
  }
  for (const Check& check : inspection.checks) context.preflight.push_back(fields(check));
  for (const auto& [key, value] : options.labels) context.labels.emplace_back(key, value);
  context.argv.assign(argv, argv + argc);
  if (options.anonymise) context.argv[0] = std::filesystem::path(argv[0]).filename();
  return context;
}

Fields conditions_of(std::span<Device* const> devices, const Options& options,
                     const std::string& libraries, int launches) {
  const DeviceInfo& info = devices.front()->info();
  std::vector<std::string> uuids;
  for (const Device* device : devices) uuids.push_back(hashed(device->info().uuid, options));
  Fields conditions = {{"device", info.name},
                       {"architecture", info.architecture},
                       {"uuid", fmt::format("{}", fmt::join(uuids, "+"))},
                       {"host", host_name(options)},
                       {"driver", info.driver},
                       {"libraries", libraries},
                       {"compute_units", static_cast<std::int64_t>(info.compute_units)},
                       {"compiler", std::string(build_info.compiler)},
                       {"flags", std::string(build_info.flags)},
                       {"fp8_encoding", std::string(name(info.fp8))},
                       {"method_version", static_cast<std::int64_t>(method_version)},
                       {"launches_per_sample", static_cast<std::int64_t>(launches)}};
  for (const DeviceFact& fact : info.facts) {
    if (fact.use != DeviceFact::condition) continue;
    conditions.emplace_back(fact.name, fact.value.empty() ? Scalar() : Scalar(fact.value));
  }
  return conditions;
}

}  // namespace steelyard
