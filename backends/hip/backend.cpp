// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/device.h"
#include "backends/gpu/kernels.h"
#include "backends/hip/kernels.h"
#include "backends/hip/telemetry.h"

namespace steelyard {
namespace {

gpu::Sensors sensors_of(const gpu::Properties& properties) {
  static hip::AmdSmi amd_smi;
  return {
      .describe = [id = properties.pci_bus_id](DeviceInfo& info) { amd_smi.describe(id, info); },
      .read = [id = properties.pci_bus_id] { return amd_smi.read(id); }};
}

std::vector<Kernel> all_kernels() {
  std::vector<Kernel> all = gpu::shared_kernels();
  for (const std::span<const Kernel> table : {
           hip::hipblaslt_kernels(),
           hip::hipdnn_kernels(),
           hip::rocblas_kernels(),
       })
    all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace

Backend hip_backend() {
  return {.name = gpu::backend_name, .kernels = all_kernels(), .open = [] {
            return gpu::open_devices(sensors_of);
          }};
}

}  // namespace steelyard
