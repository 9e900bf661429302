// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/kernels.h"

namespace steelyard::gpu {

std::vector<Kernel> shared_kernels() {
  std::vector<Kernel> all;
  for (const std::span<const Kernel> table : {
           attention_decode_kernels(),
           attention_forward_kernels(),
           attention_backward_kernels(),
           gemm_simt_kernels(),
           gemm_tile_kernels(),
           memory_kernels(),
           copy_kernels(),
           launch_kernels(),
           activation_kernels(),
           cache_kernels(),
           loss_kernels(),
           norm_kernels(),
           norm_gradient_kernels(),
           optimiser_kernels(),
           permute_kernels(),
           quantise_kernels(),
           rope_kernels(),
           routing_kernels(),
       })
    all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace steelyard::gpu
