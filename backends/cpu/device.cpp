// SPDX-License-Identifier: Apache-2.0
// The CPU as a device: its clock is the host's, its queue is empty when launch() returns.
#include <chrono>

#include "backends/cpu/machine.h"
#include "backends/cpu/run.h"
#include "backends/cpu/threads.h"

namespace steelyard::cpu {

CpuDevice::CpuDevice() : info_(describe_machine(team_cpus())) {}

std::int64_t CpuDevice::free_bytes() const {
  return available_memory();
}

Elapsed CpuDevice::time(Run& run, const Window& window) {
  if (window.flush_bytes > flush_.bytes()) {
    flush_ = Region(window.flush_bytes);
    parallel_fill(flush_.data(), 1, flush_.bytes());  // untouched pages are not read from DRAM
  }
  parallel_read(flush_.data(), window.flush_bytes);
  if (window.start_barrier != nullptr) window.start_barrier->arrive_and_wait();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < window.launches; ++i) run.launch((window.first_copy + i) % run.copies());
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (window.meanwhile) window.meanwhile();
  return {elapsed.count(), elapsed.count()};
}

HostTensor CpuDevice::read(const Tensor& tensor) {
  HostTensor host = {tensor.operand, HostBytes(bytes(tensor.operand)), tensor.encoding};
  parallel_copy(host.data.data(), tensor.data, bytes(tensor.operand));
  return host;
}

HostTensor CpuDevice::look_at(const Tensor& tensor) {
  return {tensor.operand, HostBytes::borrowed(tensor.data, bytes(tensor.operand)), tensor.encoding};
}

std::shared_ptr<const Region> CpuDevice::workspace(std::int64_t bytes) {
  auto workspace = workspaces_[bytes].lock();
  if (workspace == nullptr) workspaces_[bytes] = workspace = std::make_shared<Region>(bytes);
  return workspace;
}

Telemetry CpuDevice::telemetry() {
  return read_sensors(team_cpus(), energy_);
}

}  // namespace steelyard::cpu
