// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kernels.h"
#include "backends/cpu/run.h"

namespace steelyard::cpu {
namespace {

std::vector<std::unique_ptr<Device>> open_cpu() {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<CpuDevice>());
  return devices;
}

}  // namespace

Backend cpu_backend() {
  return {"cpu", {}, open_cpu};
}

}  // namespace steelyard::cpu
