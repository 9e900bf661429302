// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/device.h"

#include <fmt/format.h>

#include <chrono>

#include "backends/gpu/arena.h"

namespace steelyard::gpu {
namespace {

DeviceInfo describe_device(int index, const Properties& properties, const Sensors& sensors) {
  DeviceInfo info = {.backend = std::string(backend_name),
                     .index = index,
                     .name = properties.name,
                     .vendor = std::string(vendor_name),
                     .architecture = properties.architecture,
                     .uuid = properties.uuid,
                     .driver = properties.driver,
                     .unit = properties.architecture == "gfx90a" ? "gcd" : "package",
                     .compute_units = properties.compute_units,
                     .memory_bytes = properties.memory_bytes,
                     .last_level_cache_bytes = properties.last_level_cache_bytes,
                     .fp8 = properties.fp8,
                     .emulated = properties.name.starts_with(emulated_prefix),
                     .facts = {{"runtime", properties.runtime}}};
  sensors.describe(info);
  return info;
}

class ReleaseAtEnd {
 public:
  explicit ReleaseAtEnd(Hold& hold) : hold_(hold) {}
  ~ReleaseAtEnd() { hold_.end(); }
  ReleaseAtEnd(const ReleaseAtEnd&) = delete;
  ReleaseAtEnd& operator=(const ReleaseAtEnd&) = delete;

 private:
  Hold& hold_;
};

// Selecting comes before making: a stream belongs to the device that is selected.
Stream make_stream(int index) {
  check(select_device(index));
  return make<Stream>();
}

}  // namespace

void check(Error error, std::source_location at) {
  if (error == success) return;
  (void)last_error();  // a recoverable error must not surface again at the next call
  const std::string_view path = at.file_name();
  const auto folder = path.rfind("backends/");
  const std::string text =
      fmt::format("{}:{}: {} ({})", path.substr(folder == path.npos ? 0 : folder), at.line(),
                  describe(error), name(error));
  if (error == out_of_memory) throw OutOfMemory(text);
  if (is_lost(error)) throw DeviceLost(text);
  throw std::runtime_error(text);
}

GpuDevice::GpuDevice(int index, const Properties& properties, Sensors sensors)
    : index_(index),
      info_(describe_device(index, properties, sensors)),
      shared_bytes_per_block_(properties.shared_bytes_per_block),
      read_sensors_(std::move(sensors.read)),
      stream_(make_stream(index)),
      start_(make<Event>()),
      stop_(make<Event>()),
      hold_(stream_.get()) {}

Executable capture(StreamHandle stream, const std::function<void()>& enqueue_all) {
  GraphHandle graph{};
  check(begin_capture(stream));
  try {
    enqueue_all();
  } catch (...) {
    (void)end_capture(stream, &graph);  // a stream left capturing would refuse all later work
    const Graph unfinished(graph);
    throw;
  }
  check(end_capture(stream, &graph));
  const Graph captured(graph);
  ExecutableHandle executable{};
  check(instantiate(&executable, graph));
  return Executable(executable);
}

StreamHandle GpuDevice::stream() const {
  check(select_device(index_));
  return stream_.get();
}

std::int64_t GpuDevice::free_bytes() const {
  check(select_device(index_));
  std::size_t free = 0, total = 0;
  check(memory_info(&free, &total));
  return static_cast<std::int64_t>(free);
}

std::optional<bool> GpuDevice::holds(std::span<const std::int64_t> sizes) {
  check(select_device(index_));
  std::vector<Buffer<std::byte>> all;
  try {
    for (const std::int64_t size : sizes) all.emplace_back(static_cast<std::size_t>(size));
  } catch (const OutOfMemory&) {
    return false;
  }
  return true;
}

void GpuDevice::flush(std::int64_t bytes) {
  if (bytes == 0) return;
  if (static_cast<std::size_t>(bytes) > flush_.size()) {
    flush_ = Buffer<std::byte>();  // the old one goes before the new one comes
    flush_ = Buffer<std::byte>(static_cast<std::size_t>(bytes));
    flush_sum_ = Buffer<std::uint64_t>(1);
  }
  enqueue_checksum(flush_sum_.data(), flush_.data(), bytes, stream_.get());
}

Elapsed GpuDevice::time(Run& run, const Window& window) {
  const StreamHandle queue = stream();
  const auto launch_all = [&] {
    for (int i = 0; i < window.launches; ++i) run.launch((window.first_copy + i) % run.copies());
  };
  const Executable graph = window.graph ? capture(queue, launch_all) : Executable();
  flush(window.flush_bytes);
  check(wait(queue));
  const bool hold = window.back_to_back && hold_.works();
  const auto start_together = [&] {
    if (window.start_barrier != nullptr) window.start_barrier->arrive_and_wait();
  };
  if (!hold) start_together();
  auto begin = std::chrono::steady_clock::now();
  {
    const ReleaseAtEnd let_go(hold_);  // also when a launch throws
    if (hold) hold_.begin(queue);
    check(record(start_.get(), queue));
    if (window.graph)
      check(launch(graph.get(), queue));
    else
      launch_all();
    check(record(stop_.get(), queue));
    if (hold) start_together();
  }
  const auto released = std::chrono::steady_clock::now();
  if (window.meanwhile) window.meanwhile();
  check(wait(stop_.get()));
  const auto end = std::chrono::steady_clock::now();
  const bool held = hold && hold_.held();
  if (held) begin = released;
  float milliseconds = 0;
  check(elapsed(&milliseconds, start_.get(), stop_.get()));
  return {.device_seconds = static_cast<double>(milliseconds) * 1e-3,
          .host_seconds = std::chrono::duration<double>(end - begin).count(),
          .gave_up = hold && !held};
}

HostTensor GpuDevice::read(const Tensor& tensor) {
  HostTensor host = {tensor.operand, HostBytes(bytes(tensor.operand)), tensor.encoding};
  const StreamHandle queue = stream();
  check(copy(host.data.data(), tensor.data, host.data.size(), queue));
  check(wait(queue));
  return host;
}

Found open_devices(Sensors (*sensors_of)(const Properties&)) {
  Found found;
  int count = 0;
  if (const Error error = device_count(&count); error != success) {
    (void)last_error();
    found.absence = describe(error);
    return found;
  }
  for (int index = 0; index < count; ++index) {
    Properties properties;
    check(read_properties(index, &properties));
    found.devices.push_back(std::make_unique<GpuDevice>(index, properties, sensors_of(properties)));
  }
  if (count == 0) found.absence = "the driver shows none";
  return found;
}

std::unique_ptr<Run> make_run(GpuDevice& device, const Problem& problem, const Inputs& inputs,
                              Body body, RunOptions options) {
  options.encoding = device.info().fp8;
  return make_run(std::make_unique<DeviceArena>(device), problem, inputs, std::move(body),
                  std::move(options));
}

}  // namespace steelyard::gpu
