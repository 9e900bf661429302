// SPDX-License-Identifier: Apache-2.0
// The CPU as a device, and how a Run is made on it.
#pragma once

#include <memory>
#include <string>

#include "backends/cpu/package_energy.h"
#include "backends/cpu/region.h"
#include "backends/run.h"

namespace steelyard::cpu {

class CpuDevice final : public Device {
 public:
  CpuDevice();

  const DeviceInfo& info() const override { return info_; }
  std::int64_t free_bytes() const override;
  Elapsed time(Run& run, const Window& window) override;
  HostTensor read(const Tensor& tensor) override;
  Telemetry telemetry() override;

 private:
  DeviceInfo info_;
  PackageEnergy energy_;
  Region flush_;  // read before a window that wants cold caches
};

// A Run whose operand sets lie in huge pages where the system has them. `detail` and `ahead` are
// those of RunOptions.
std::unique_ptr<Run> make_run(const Problem& problem, const Inputs& inputs, Body body,
                              std::string detail = {}, Body ahead = {});

}  // namespace steelyard::cpu
