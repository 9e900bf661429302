// SPDX-License-Identifier: Apache-2.0
// The kernels that both vendors share: one table per file of kernels.
#pragma once

#include <span>
#include <vector>

#include "backends/backend.h"

namespace steelyard::gpu {

std::span<const Kernel> attention_backward_kernels();  // attention_backward.cu
std::span<const Kernel> attention_forward_kernels();   // attention_forward.cu
std::span<const Kernel> gemm_tile_kernels();           // gemm_tile.cu
std::span<const Kernel> memory_kernels();              // memory.cu
std::span<const Kernel> copy_kernels();                // copies.cpp
std::span<const Kernel> launch_kernels();              // launches.cu

std::vector<Kernel> shared_kernels();  // all of them

}  // namespace steelyard::gpu
