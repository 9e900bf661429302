// SPDX-License-Identifier: Apache-2.0
// A GPU as a device: one stream, its clock the events on it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/gpu/gpu.h"
#include "backends/gpu/hold.h"
#include "backends/run.h"

namespace steelyard::gpu {

// What `enqueue_all` puts on the stream, as a graph to be launched as often as one likes.
Executable capture(StreamHandle stream, const std::function<void()>& enqueue_all);

// What a vendor's management library knows of one board.
struct Sensors {
  std::function<void(DeviceInfo&)> describe;  // adds facts
  std::function<Telemetry()> read;
};

class GpuDevice final : public Device {
 public:
  GpuDevice(int index, const Properties& properties, Sensors sensors);

  const DeviceInfo& info() const override { return info_; }
  std::int64_t free_bytes() const override;
  Elapsed time(Run& run, const Window& window) override;
  HostTensor read(const Tensor& tensor) override;
  std::optional<bool> holds(std::span<const std::int64_t> sizes) override;
  Telemetry telemetry() override { return read_sensors_(); }

  // Where kernels are enqueued. Calling it makes this device the one that the thread works with.
  StreamHandle stream() const;
  std::int64_t shared_bytes_per_block() const { return shared_bytes_per_block_; }

 private:
  void flush(std::int64_t bytes);

  int index_;
  DeviceInfo info_;
  std::int64_t shared_bytes_per_block_;
  std::function<Telemetry()> read_sensors_;
  Stream stream_;
  Event start_, stop_;
  Hold hold_;
  Buffer<std::byte> flush_;  // read before a window that wants cold caches
  Buffer<std::uint64_t> flush_sum_;
};

// A GpuDevice for each GPU that the runtime finds, with the sensors of its board.
Found open_devices(Sensors (*sensors_of)(const Properties& properties));

// A Run whose operand sets lie in the device's memory. The body enqueues on device.stream(). The
// encoding is the device's.
std::unique_ptr<Run> make_run(GpuDevice& device, const Problem& problem, const Inputs& inputs,
                              Body body, RunOptions options = {});

}  // namespace steelyard::gpu
