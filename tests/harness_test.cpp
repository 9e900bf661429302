// SPDX-License-Identifier: Apache-2.0
// Whole bench binaries, linked with planted kernels.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "backends/cpu/run.h"
#include "bench/run.h"
#include "reports/exit_code.h"
#include "reports/record.h"
#include "tests/catch.h"
#include "tests/planted_kernels.h"

namespace steelyard {
namespace {

struct Outcome {
  int code;
  ResultFile file;
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char pattern[] = "/tmp/steelyard-harness-XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

int invoke(const Backend& backend, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "steelyard-gemm");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return run(gemm_family(), std::span(&backend, 1), static_cast<int>(argv.size()), argv.data());
}

// One small problem; three samples of nothing are enough to reach every check.
Outcome measure_small(const Backend& backend, std::vector<std::string> more = {}) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {"-a",   "dtype=f32", "-a",
                                        "m=48", "-a",        "n=40",
                                        "-a",   "k=32",      "--min-samples",
                                        "6",    "--json",    folder.file("out.json")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const int code = invoke(backend, arguments);
  return {code, read_results(folder.file("out.json"))};
}

bool has_name(const Fields& fields, const std::string& name) {
  return std::ranges::find(fields, name, &Fields::value_type::first) != fields.end();
}

TEST_CASE("the file says what timing costs, whether the cache policy works, what was inspected") {
  const Outcome outcome = measure_small(planted_backend({planted_correct}));
  const Fields& device = outcome.file.context.devices.at(0);
  for (const char* field : {"timer_overhead_p50_ns", "timer_overhead_p99_ns", "timer_resolution_ns",
                            "cache_policy_effective"})
    CHECK(has_name(device, field));
  // The planted backend multiplies only.
  CHECK(std::ranges::count(device, Fields::value_type("cache_policy_effective_reason",
                                                      "this device has no kernel that reads "
                                                      "memory")) == 1);
  CHECK_FALSE(outcome.file.context.preflight.empty());
}

TEST_CASE("repeated launches of a deterministic kernel are told to agree") {
  const Outcome outcome = measure_small(planted_backend({planted_correct}));
  CHECK(outcome.file.records.at(0).verdict.deterministic == true);
}

TEST_CASE("--data-sensitivity adds the uplift of zeros to every row") {
  const Outcome outcome = measure_small(planted_backend({planted_correct}), {"--data-sensitivity"});
  REQUIRE(outcome.file.records.at(0).zeros);
  CHECK(outcome.file.records[0].zeros->zeros_median_seconds > 0);
}

TEST_CASE("a correct kernel is measured, and its verdict says what was checked") {
  const Outcome outcome = measure_small(planted_backend({planted_correct}));
  CHECK(outcome.code == passed);
  REQUIRE(outcome.file.records.size() == 1);
  const Record& record = outcome.file.records[0];
  CHECK(record.status == Status::ok);
  CHECK(record.verdict.ok);
  CHECK(record.verdict.check.find("exact integers") != std::string::npos);
  CHECK(record.verdict.check.find("all 1920 elements") != std::string::npos);
  CHECK(record.timing.samples_seconds.size() >= 6);
  CHECK(record.timing.median_seconds > 0);
  CHECK(record.flops == 2.0 * 48 * 40 * 32);
}

// The CPU, said to be held down by its power cap.
class ThrottledDevice final : public Device {
 public:
  const DeviceInfo& info() const override { return cpu.info(); }
  std::int64_t free_bytes() const override { return cpu.free_bytes(); }
  Elapsed time(Run& run, const Window& window) override { return cpu.time(run, window); }
  HostTensor read(const Tensor& tensor) override { return cpu.read(tensor); }
  Telemetry telemetry() override { return {.throttle_reasons = {"sw_power_cap"}}; }

  cpu::CpuDevice cpu;
};

Kernel correct_kernel() {
  return planted_backend({planted_correct}).kernels.at(0);
}
Support throttled_supports(const Gemm& p, const DeviceInfo& info) {
  return correct_kernel().supports(p, info);
}
std::unique_ptr<Run> throttled_prepare(ThrottledDevice& device, const Gemm& p,
                                       const Inputs& inputs) {
  return correct_kernel().prepare(device.cpu, p, inputs);
}

TEST_CASE("a row whose device was throttled is marked with the reason") {
  const Backend backend = {
      .name = "cpu",
      .kernels = {kernel<throttled_supports, throttled_prepare>("correct", Tier::portable)},
      .open = [] {
        Found found;
        found.devices.push_back(std::make_unique<ThrottledDevice>());
        return found;
      }};
  const Outcome outcome = measure_small(backend);
  REQUIRE(outcome.file.records.size() == 1);
  const auto& flags = outcome.file.records[0].timing.flags;
  CHECK(std::ranges::count(flags, "clock held down: sw_power_cap") == 1);
  const Outcome cool = measure_small(planted_backend({planted_correct}));
  CHECK(std::ranges::count(cool.file.records.at(0).timing.flags, "clock held down: sw_power_cap") ==
        0);
}

TEST_CASE("every planted fault is found and makes no number") {
  const auto fault =
      GENERATE(std::string_view("swapped_columns"), std::string_view("missing_last_k"),
               std::string_view("unwritten_tile"), std::string_view("stale_output"),
               std::string_view("wrong_element"), std::string_view("half_precision"),
               std::string_view("writes_input"), std::string_view("writes_behind"));
  CAPTURE(fault);
  const Outcome outcome = measure_small(planted_backend({fault}));
  CHECK(outcome.code == incorrect_rows);
  REQUIRE(outcome.file.records.size() == 1);
  CHECK(outcome.file.records[0].status == Status::incorrect);
  CHECK_FALSE(outcome.file.records[0].reason.empty());
}

TEST_CASE("a kernel that throws fails its row and the run goes on") {
  const Outcome outcome = measure_small(planted_backend({planted_correct, "throws"}));
  CHECK(outcome.code == device_error);
  REQUIRE(outcome.file.records.size() == 2);
  CHECK(outcome.file.records[0].status == Status::ok);
  CHECK(outcome.file.records[1].status == Status::failed);
  CHECK(outcome.file.records[1].reason == "planted failure");
}

TEST_CASE("a lost device ends the run with the finished rows saved") {
  const Outcome outcome =
      measure_small(planted_backend({planted_correct, "loses_device"}), {"-a", "alpha=1,2"});
  CHECK(outcome.code == device_error);
  REQUIRE(outcome.file.records.size() == 2);
  CHECK(outcome.file.records[0].status == Status::ok);
  CHECK(outcome.file.records[1].status == Status::failed);
  CHECK(outcome.file.records[1].reason == "planted: the device fell off the bus");
}

TEST_CASE("a problem larger than free memory is unsupported and says how large") {
  const TemporaryFolder folder;
  const int code =
      invoke(planted_backend({planted_correct}),
             {"-a", "dtype=f32", "-a", "size=10000000", "--json", folder.file("o.json")});
  CHECK(code == passed);
  const Record record = read_results(folder.file("o.json")).records.at(0);
  CHECK(record.status == Status::unsupported);
  CHECK(record.reason.find("does not fit") != std::string::npos);
}

TEST_CASE("an unsupported type is a row with the kernel's reason") {
  const Outcome outcome = measure_small(planted_backend({planted_correct}), {"-a", "layout=nt"});
  CHECK(outcome.code == passed);
  REQUIRE(outcome.file.records.size() == 1);
  CHECK(outcome.file.records[0].status == Status::unsupported);
  CHECK(outcome.file.records[0].reason == "planted kernels take f32 nn");
}

TEST_CASE("a spent budget skips the rows that are left") {
  const Outcome outcome =
      measure_small(planted_backend({planted_correct}), {"--budget", "0.000001s"});
  CHECK(outcome.code == passed);
  CHECK(outcome.file.records.at(0).status == Status::skipped);
}

TEST_CASE("each mistake on the command line is a usage error and writes nothing") {
  const auto arguments = GENERATE(
      std::vector<std::string>{"--no-such-flag"}, std::vector<std::string>{"-a", "q=1"},
      std::vector<std::string>{"-a", "m=0"}, std::vector<std::string>{"-a", "m=-4"},
      std::vector<std::string>{"-a", "m=99999999999999999999"},
      std::vector<std::string>{"-a", "size=4000000000"},
      std::vector<std::string>{"-a", "dtype=f31"}, std::vector<std::string>{"-a", "m"},
      std::vector<std::string>{"--suite", "quickest"}, std::vector<std::string>{"--filter", "("},
      std::vector<std::string>{"--filter", "matches_nothing"},
      std::vector<std::string>{"--kernel", "no_such_kernel"},
      std::vector<std::string>{"--budget", "soon"}, std::vector<std::string>{"--min-samples", "0"},
      std::vector<std::string>{"--label", "novalue"},
      std::vector<std::string>{"--benchmark_min_time=1"});
  CAPTURE(arguments);
  const TemporaryFolder folder;
  std::vector<std::string> all = {"--json", folder.file("out.json")};
  all.insert(all.end(), arguments.begin(), arguments.end());
  CHECK(invoke(planted_backend(), all) == usage_error);
  CHECK_FALSE(std::filesystem::exists(folder.file("out.json")));
}

TEST_CASE("a device that is not there is named, with exit code 6") {
  CHECK(invoke(planted_backend(), {"--device", "cuda:0"}) == device_error);
  CHECK(invoke(planted_backend(), {"--device", "cpu:7"}) == device_error);
}

// The CPU, in use by others.
class BusyDevice final : public Device {
 public:
  BusyDevice() { info_.shares_host_memory = false; }
  const DeviceInfo& info() const override { return info_; }
  std::int64_t free_bytes() const override { return cpu_.free_bytes(); }
  Elapsed time(Run& run, const Window& window) override { return cpu_.time(run, window); }
  HostTensor read(const Tensor& tensor) override { return cpu_.read(tensor); }

 private:
  cpu::CpuDevice cpu_;
  DeviceInfo info_ = {
      .backend = "cpu", .memory_bytes = cpu_.free_bytes(), .facts = {{"other_processes", "2"}}};
};

TEST_CASE("--strict measures nothing on a device that is unfit, and writes no file") {
  const Backend backend = {
      .name = "cpu", .kernels = planted_backend({planted_correct}).kernels, .open = [] {
        Found found;
        found.devices.push_back(std::make_unique<BusyDevice>());
        return found;
      }};
  const TemporaryFolder folder;
  const std::string file = folder.file("out.json");
  const std::vector<std::string> arguments = {"-a", "dtype=f32", "-a", "size=32", "--min-samples",
                                              "6",  "--json",    file, "--strict"};
  CHECK(invoke(backend, arguments) == device_error);
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("--together takes more than one device") {
  const TemporaryFolder folder;
  CHECK(invoke(planted_backend(), {"--together", "--json", folder.file("out.json")}) ==
        usage_error);
}

TEST_CASE("an output that cannot be written ends the run before it starts") {
  CHECK(invoke(planted_backend(), {"--json", "/proc/no/such/file.json"}) == usage_error);
}

}  // namespace
}  // namespace steelyard
