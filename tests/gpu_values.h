// SPDX-License-Identifier: Apache-2.0
// What a GPU makes of values that no fill makes.
#pragma once

#include <vector>

#include "backends/gpu/device.h"
#include "tests/gpu_device.h"

namespace steelyard {

// Host tensors in the memory of the device.
struct Uploaded {
  std::vector<gpu::Buffer<std::byte>> memory;
  std::vector<Tensor> tensors;

  Uploaded(gpu::GpuDevice& device, const std::vector<HostTensor>& inputs) {
    const gpu::StreamHandle stream = device.stream();
    for (const HostTensor& input : inputs) {
      memory.emplace_back(input.data.size());
      gpu::check(gpu::copy(memory.back().data(), input.data.data(), input.data.size(), stream));
      tensors.push_back({input.operand, memory.back().data(), input.encoding});
    }
    gpu::check(gpu::wait(stream));
  }
};

// What the one kernel that takes the problem makes of the inputs.
inline std::vector<HostTensor> compute(const Problem& p, const std::vector<HostTensor>& inputs) {
  auto& device = dynamic_cast<gpu::GpuDevice&>(gpu_device());
  const Uploaded uploaded(device, inputs);
  std::vector<HostTensor> outputs;
  for (const Kernel& kernel : gpu_backend().kernels) {
    if (kernel.supports(p, device.info()).answer != Support::yes) continue;
    const auto run = kernel.prepare(device, p, {.bound = uploaded.tensors});
    device.time(*run, {});
    for (const Tensor& output : run->outputs(0)) outputs.push_back(device.read(output));
  }
  return outputs;
}

}  // namespace steelyard
