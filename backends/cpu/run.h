// SPDX-License-Identifier: Apache-2.0
// The CPU as a device, and the one kind of Run it has: operand sets in host memory, a function over
// them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"
#include "backends/cpu/region.h"

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
  Region flush_;  // read before a window that wants cold caches
};

// The tensors of one operand set, found by the names that operands() gives them.
class Arguments {
 public:
  explicit Arguments(std::span<const Tensor> tensors) : tensors_(tensors) {}

  const Tensor& tensor(std::string_view name) const;  // throws std::out_of_range, naming it
  void* data(std::string_view name) const { return tensor(name).data; }
  template <class T>
  T* get(std::string_view name) const {
    return static_cast<T*>(data(name));
  }

 private:
  std::span<const Tensor> tensors_;
};

// What one launch does. Looks its tensors up in every call: launches rotate through operand sets.
using Body = std::function<void(const Arguments&)>;

// Allocates inputs.copies operand sets in huge pages where the system has them, 64-byte aligned,
// fills them with make_inputs (or takes the bound tensors) and surrounds each tensor with guard
// bands. `detail` is what Run::detail() says of the kernel. `ahead` is done once to every operand
// set: what a kernel may do beforehand, such as reordering weights, and what makes derived inputs.
std::unique_ptr<Run> make_run(const Problem& problem, const Inputs& inputs, Body body,
                              std::string detail = {}, Body ahead = {});

}  // namespace steelyard::cpu
