// SPDX-License-Identifier: Apache-2.0
// The kernels of the CPU, one table per file.
#pragma once

#include <span>

#include "backends/backend.h"

namespace steelyard::cpu {

std::span<const Kernel> gemm_kernels();                // gemm.cpp
std::span<const Kernel> streamed_gemm_kernels();       // gemm_streamed.cpp
std::span<const Kernel> attention_kernels();           // attention.cpp
std::span<const Kernel> attention_backward_kernels();  // attention_backward.cpp
std::span<const Kernel> memory_kernels();              // memory.cpp
std::span<const Kernel> elementwise_kernels();         // layers_elementwise.cpp
std::span<const Kernel> norm_kernels();                // layers_norm.cpp
std::span<const Kernel> rope_kernels();                // layers_rope.cpp
std::span<const Kernel> loss_kernels();                // layers_loss.cpp
std::span<const Kernel> embedding_kernels();           // layers_embedding.cpp
std::span<const Kernel> routing_kernels();             // layers_routing.cpp
std::span<const Kernel> quantise_kernels();            // layers_quantise.cpp
std::span<const Kernel> onednn_kernels();              // onednn.cpp
std::span<const Kernel> openblas_kernels();            // openblas.cpp

}  // namespace steelyard::cpu
