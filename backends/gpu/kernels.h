// SPDX-License-Identifier: Apache-2.0
// The kernels that both vendors share: one table per file of kernels.
#pragma once

#include <span>
#include <vector>

#include "backends/backend.h"

namespace steelyard::gpu {

std::span<const Kernel> attention_backward_kernels();  // attention_backward.cu
std::span<const Kernel> attention_forward_kernels();   // attention_forward.cu
std::span<const Kernel> memory_kernels();              // memory.cu
std::span<const Kernel> copy_kernels();                // copies.cpp
std::span<const Kernel> launch_kernels();              // launches.cu
std::span<const Kernel> activation_kernels();          // layers_activation.cu
std::span<const Kernel> cache_kernels();               // layers_cache.cu
std::span<const Kernel> loss_kernels();                // layers_loss.cu
std::span<const Kernel> norm_kernels();                // layers_norm.cu
std::span<const Kernel> norm_gradient_kernels();       // layers_norm_backward.cu
std::span<const Kernel> optimiser_kernels();           // layers_optimiser.cu
std::span<const Kernel> permute_kernels();             // layers_permute.cu
std::span<const Kernel> quantise_kernels();            // layers_quantise.cu
std::span<const Kernel> rope_kernels();                // layers_rope.cu
std::span<const Kernel> routing_kernels();             // layers_routing.cu
std::span<const Kernel> gemm_simt_kernels();           // gemm_simt.cu
std::span<const Kernel> gemm_tile_kernels();           // gemm_tile.cpp
std::span<const Kernel> attention_decode_kernels();    // attention_decode.cu

std::vector<Kernel> shared_kernels();  // all of them

}  // namespace steelyard::gpu
