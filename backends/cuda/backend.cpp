// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/telemetry.h"
#include "backends/gpu/device.h"
#include "backends/gpu/kernels.h"

namespace steelyard {
namespace {

gpu::Sensors sensors_of(const gpu::Properties& properties) {
  static cuda::Nvml nvml;
  return {.describe = [id = properties.pci_bus_id](DeviceInfo& info) { nvml.describe(id, info); },
          .read = [id = properties.pci_bus_id] { return nvml.read(id); }};
}

}  // namespace

Backend cuda_backend() {
  return {.name = gpu::backend_name, .kernels = gpu::shared_kernels(), .open = [] {
            return gpu::open_devices(sensors_of);
          }};
}

}  // namespace steelyard
