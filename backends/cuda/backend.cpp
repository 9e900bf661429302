// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels.h"
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

std::vector<Kernel> all_kernels() {
  std::vector<Kernel> all = gpu::shared_kernels();
  for (const std::span<const Kernel> table : {
           cuda::cublaslt_kernels(),
           cuda::cudnn_kernels(),
       })
    all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace

Backend cuda_backend() {
  return {.name = gpu::backend_name, .kernels = all_kernels(), .open = [] {
            return gpu::open_devices(sensors_of);
          }};
}

}  // namespace steelyard
