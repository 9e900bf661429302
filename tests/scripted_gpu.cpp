// SPDX-License-Identifier: Apache-2.0
#include "tests/scripted_gpu.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>

#include "backends/oracle.h"
#include "backends/run.h"
#include "reports/specs.h"

namespace steelyard {
namespace {

// Memory of the host, as if it were a device's.
class HostArena final : public Arena {
 public:
  std::byte* allocate(const Operand&, std::int64_t bytes) override {
    auto& block = blocks_.emplace_back(static_cast<std::size_t>(bytes + tensor_alignment));
    const auto address = reinterpret_cast<std::uintptr_t>(block.data());
    return block.data() + (tensor_alignment - address % tensor_alignment) % tensor_alignment;
  }
  void upload(std::byte* to, const std::byte* from, std::int64_t bytes) override {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
  void download(std::byte* to, const std::byte* from, std::int64_t bytes) override {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
  void fill(std::byte* to, std::uint64_t word, std::int64_t bytes) override {
    for (std::int64_t i = 0; i < bytes; ++i)
      to[i] = static_cast<std::byte>(word >> (8 * (i % 8)) & 0xff);
  }
  std::uint64_t checksum(const std::byte* from, std::int64_t bytes) override {
    const std::string_view text(reinterpret_cast<const char*>(from),
                                static_cast<std::size_t>(bytes));
    return std::hash<std::string_view>{}(text);
  }

 private:
  std::deque<std::vector<std::byte>> blocks_;
};

class ScriptedGpu final : public Device {
 public:
  // `machine` is the time of the device that is furthest.
  ScriptedGpu(GpuScript its_script, HostClock machine)
      : script(std::move(its_script)), machine_(std::move(machine)) {}

  const DeviceInfo& info() const override { return script.info; }
  std::int64_t free_bytes() const override { return script.info.memory_bytes; }
  Elapsed time(Run& run, const Window& window) override;
  Telemetry telemetry() override { return script.sensors(machine_()); }
  HostTensor read(const Tensor& tensor) override {
    HostTensor host = {tensor.operand, HostBytes(bytes(tensor.operand)), tensor.encoding};
    std::memcpy(host.data.data(), tensor.data, host.data.size());
    return host;
  }

  // The middle element of the first output, of four bytes: its exponent, or its last bit.
  void disturb(const Run& run, int copy) const {
    const Tensor out = run.outputs(copy).at(0);
    auto* element = static_cast<std::byte*>(out.data) + bytes(out.operand) / 8 * 4;
    if (script.wrong_from && launches >= *script.wrong_from) element[3] ^= std::byte{0x40};
    if (script.unstable && launches % 2 == 1) element[0] ^= std::byte{1};
  }

  GpuScript script;
  int launches = 0, windows = 0;
  std::atomic<double> now = 0;  // read while a window runs

 private:
  HostClock machine_;
};

// Knows how long it takes.
class ScriptedRun final : public Run {
 public:
  ScriptedRun(std::unique_ptr<Run> run, double each) : seconds(each), run_(std::move(run)) {}

  void launch(int copy) override { run_->launch(copy); }
  std::vector<Tensor> tensors(int copy) const override { return run_->tensors(copy); }
  void reset(int copy, int round) override { run_->reset(copy, round); }
  std::string damage(int copy) const override { return run_->damage(copy); }
  int copies() const override { return run_->copies(); }
  std::string detail() const override { return "scripted"; }

  double seconds;

 private:
  std::unique_ptr<Run> run_;
};

// Of a window only its last launch is carried out: the others would leave the same.
Elapsed ScriptedGpu::time(Run& run, const Window& window) {
  if (window.start_barrier != nullptr) window.start_barrier->arrive_and_wait();
  const auto* scripted = dynamic_cast<const ScriptedRun*>(&run);
  const double each = scripted == nullptr ? 0 : scripted->seconds;
  launches += window.launches;
  if (script.lost_at && launches >= *script.lost_at) throw DeviceLost("scripted: off the bus");
  if (window.launches > 0) run.launch((window.first_copy + window.launches - 1) % run.copies());
  if (window.launches > 0) disturb(run, (window.first_copy + window.launches - 1) % run.copies());
  const double overhead = 1e-6;
  const double seconds = overhead + each * script.slowdown * window.launches;
  now += seconds;
  if (window.meanwhile) window.meanwhile();
  return {.device_seconds = script.clock(seconds, windows++), .host_seconds = seconds};
}

bool is_fp8(DType type) {
  return type == DType::fp8_e4m3 || type == DType::fp8_e5m2;
}

Support supports(const Problem& problem, const DeviceInfo& info) {
  const bool has_fp8 = info.architecture == "sm_90" || info.architecture == "gfx942";
  for (const Operand& operand : operands(problem))
    if (is_fp8(operand.dtype) && !has_fp8) return {Support::no, info.architecture + " has no fp8"};
  return {};
}

double roofline(const Problem& problem, const DeviceInfo& info, bool from_cache) {
  const Spec& spec = *find_spec(info.name);
  const Work cost = work(problem);
  const Fact* peak = spec.peak(name(compute_type(problem)));
  const double bandwidth = spec.memory_bandwidth->value * (from_cache ? 3 : 1);
  return std::max(peak == nullptr ? 0 : cost.flops / peak->value, cost.bytes / bandwidth);
}

std::unique_ptr<Run> prepare(Device& device, const Problem& problem, const Inputs& inputs) {
  const auto& gpu = static_cast<ScriptedGpu&>(device);
  const DeviceInfo& info = gpu.script.info;
  const auto given = make_inputs(problem, inputs.fill, inputs.seed, info.fp8);
  auto expected =
      std::make_shared<std::vector<Expected>>(reference(problem, given, 0, Rounding::storage));
  auto run = make_run(std::make_unique<HostArena>(), problem, inputs,
                      [expected](const Arguments& arguments) {
                        for (const Expected& output : *expected) {
                          const Tensor& tensor = arguments.tensor(output.operand.name);
                          for (std::size_t i = 0; i < output.values.size(); ++i)
                            store(tensor.operand.dtype, tensor.data, static_cast<std::int64_t>(i),
                                  output.values[i], tensor.encoding);
                        }
                      },
                      {.encoding = info.fp8});
  constexpr double efficiency = 0.6, launch_seconds = 2e-6;
  const bool from_cache =
      footprint(problem, {.copies = gpu.script.rotation_works ? inputs.copies : 1,
                          .guard_bytes = 0}) <= last_level_cache(info);
  double seconds = std::max(roofline(problem, info, from_cache) / efficiency, launch_seconds);
  if (inputs.fill == Fill::zeros) seconds /= 1 + gpu.script.zeros_uplift;
  return std::make_unique<ScriptedRun>(std::move(run), seconds);
}

GpuScript gpu(std::string backend, int index, std::string name, std::string architecture) {
  return {.info = {.backend = std::move(backend),
                   .index = index,
                   .name = std::move(name),
                   .architecture = std::move(architecture),
                   .uuid = "GPU-" + std::to_string(index),
                   .memory_bytes = std::int64_t{64} << 30}};
}

}  // namespace

GpuScript scripted_a100(int index) {
  return gpu("cuda", index, "NVIDIA A100-SXM4-80GB", "sm_80");
}
GpuScript scripted_h100(int index) {
  return gpu("cuda", index, "NVIDIA H100 80GB HBM3", "sm_90");
}
GpuScript scripted_mi250(int index) {
  GpuScript die = gpu("hip", index, "AMD Instinct MI250X / MI250", "gfx90a");
  die.info.unit = "gcd";
  die.info.facts = {
      {.name = "package", .value = "PCB" + std::to_string(index / 2), .use = DeviceFact::identity}};
  return die;
}
GpuScript scripted_mi300x(int index) {
  GpuScript device = gpu("hip", index, "AMD Instinct MI300X", "gfx942");
  device.info.fp8 = Encoding::fnuz;
  return device;
}

ScriptedMachine::ScriptedMachine(std::vector<GpuScript> scripts) {
  backend_ = {.name = scripts.front().info.backend == "cuda" ? "cuda" : "hip",
              .kernels = {Kernel{"scripted", Tier::portable, supports, prepare}}};
  for (GpuScript& script : scripts)
    devices_.push_back(std::make_unique<ScriptedGpu>(std::move(script), [this] { return now(); }));
}

double ScriptedMachine::now() const {
  double latest = 0;
  for (const auto& device : devices_)
    latest = std::max(latest, static_cast<const ScriptedGpu&>(*device).now.load());
  return latest;
}

std::vector<Row> ScriptedMachine::rows(const Family& family, const Options& options) const {
  return make_rows(family, std::span(&backend_, 1), devices_, options);
}

std::vector<Record> ScriptedMachine::measure(const Family& family, const Options& options) {
  Calibrations calibrations;
  for (const auto& device : devices_)
    calibrations.emplace(device.get(), steelyard::calibrate(*device, backend_, options.cache));
  Measurer measurer(
      family, options, calibrations, [] { return false; }, [this] { return now(); });
  std::vector<Record> records;
  for (const Row& row : rows(family, options)) {
    try {
      records.push_back(measurer.measure_row(row, 5));
    } catch (const DeviceLost& lost) {
      records.push_back(measurer.failed(row, lost.what()));
      break;
    }
  }
  return records;
}

Calibration ScriptedMachine::calibrate(CachePolicy policy) {
  return steelyard::calibrate(*devices_.front(), backend_, policy);
}

Options one_gemm(int size) {
  Options options = {.axes = {{"dtype", {"f32"}}, {"size", {std::to_string(size)}}}};
  options.cache = CachePolicy::hot;
  return options;
}

}  // namespace steelyard
