// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/kernels.h"

namespace steelyard::gpu {

std::vector<Kernel> shared_kernels() {
  std::vector<Kernel> all;
  for (const std::span<const Kernel> table : {
           attention_forward_kernels(),
           attention_backward_kernels(),
           gemm_tile_kernels(),
           memory_kernels(),
           copy_kernels(),
           launch_kernels(),
       })
    all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace steelyard::gpu
