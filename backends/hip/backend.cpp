// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/device.h"
#include "backends/gpu/kernels.h"
#include "backends/hip/telemetry.h"

namespace steelyard {
namespace {

gpu::Sensors sensors_of(const gpu::Properties& properties) {
  static hip::AmdSmi amd_smi;
  return {
      .describe = [id = properties.pci_bus_id](DeviceInfo& info) { amd_smi.describe(id, info); },
      .read = [id = properties.pci_bus_id] { return amd_smi.read(id); }};
}

}  // namespace

Backend hip_backend() {
  return {.name = gpu::backend_name, .kernels = gpu::shared_kernels(), .open = [] {
            return gpu::open_devices(sensors_of);
          }};
}

}  // namespace steelyard
