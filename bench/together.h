// SPDX-License-Identifier: Apache-2.0
// Several devices that work on the same row at once, as one device.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backends/backend.h"

namespace steelyard {

// One host thread for each device. A window begins on all of them behind a barrier, and takes as
// long as the slowest.
class Together final : public Device {
 public:
  explicit Together(std::span<Device* const> devices);
  ~Together() override;

  // The Runs of the devices, in their order, as one Run for time().
  std::unique_ptr<Run> join(std::vector<Run*> runs) const;

  const DeviceInfo& info() const override;  // the first device's
  std::int64_t free_bytes() const override;
  Elapsed time(Run& joined, const Window& window) override;
  HostTensor read(const Tensor& tensor) override;  // throws: a tensor belongs to one of the devices

  // Device seconds of every window so far, of one of the devices.
  std::span<const double> windows(std::size_t device) const;

 private:
  class Worker;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace steelyard
