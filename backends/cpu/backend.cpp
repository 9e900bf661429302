// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kernels.h"
#include "backends/cpu/run.h"

namespace steelyard::cpu {
namespace {

std::vector<Kernel> all_kernels() {
  std::vector<Kernel> all;
  for (const std::span<const Kernel> table : {
           gemm_kernels(),
           streamed_gemm_kernels(),
           attention_kernels(),
           attention_backward_kernels(),
           memory_kernels(),
           elementwise_kernels(),
           norm_kernels(),
           rope_kernels(),
           loss_kernels(),
           embedding_kernels(),
           routing_kernels(),
           quantise_kernels(),
           onednn_kernels(),
           openblas_kernels(),
       })
    all.insert(all.end(), table.begin(), table.end());
  return all;
}

Found open_cpu() {
  Found found;
  found.devices.push_back(std::make_unique<CpuDevice>());
  return found;
}

}  // namespace

Backend cpu_backend() {
  return {"cpu", all_kernels(), open_cpu};
}

}  // namespace steelyard::cpu
