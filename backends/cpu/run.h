// SPDX-License-Identifier: Apache-2.0
// The CPU as a device, and how a Run is made on it.
#pragma once

#include <map>
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
  HostTensor look_at(const Tensor& tensor) override;
  Telemetry telemetry() override;

  // Of so many bytes, shared by all Runs that ask for as many: they work one after the other, and a thread
  // always has the same part.
  std::shared_ptr<const Region> workspace(std::int64_t bytes);

 private:
  DeviceInfo info_;
  PackageEnergy energy_;
  Region flush_;  // read before a window that wants cold caches
  std::map<std::int64_t, std::weak_ptr<const Region>> workspaces_;  // by size
};

// A Run whose operand sets lie in huge pages where the system has them. `detail` and `ahead` are
// those of RunOptions.
std::unique_ptr<Run> make_run(const Problem& problem, const Inputs& inputs, Body body,
                              std::string detail = {}, Body ahead = {});

}  // namespace steelyard::cpu
