// SPDX-License-Identifier: Apache-2.0
// Columns of C = alpha A B + beta C for a short A and a transposed B, by one thread: what
// gemm_dot.cpp, compiled once per instruction set, offers to gemm_streamed.cpp, compiled once.
#pragma once

#include <cstdint>

#include "backends/cpu/gemm_tile.h"

namespace steelyard::cpu {

struct DotKernel {
  // Copies A into vectors of consecutive k, [k / vector][m][vector], the last one filled up with
  // zeros: m rows of k values, each rounded up to 64 bytes.
  void (*pack)(const GemmOperands&, void* packed_a) = nullptr;
  void (*compute)(const GemmOperands&, const void* packed_a, std::int64_t first_column,
                  std::int64_t end_column) = nullptr;
};

// Empty for a pair of types that no kernel computes.
namespace baseline {
DotKernel dot_kernel(DType input, DType output);
}
namespace v3 {
DotKernel dot_kernel(DType input, DType output);
}
namespace v4 {
DotKernel dot_kernel(DType input, DType output);
}
namespace v4_dot {
DotKernel dot_kernel(DType input, DType output);
}

}  // namespace steelyard::cpu
