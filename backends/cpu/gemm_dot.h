// SPDX-License-Identifier: Apache-2.0
// A tile of C = alpha A B + beta C for a short A and a transposed B, by one thread: what
// gemm_dot.cpp, compiled once per instruction set, offers to gemm_streamed.cpp, compiled once.
#pragma once

#include <cstdint>

#include "backends/cpu/gemm_tile.h"

namespace steelyard::cpu {

struct DotKernel {
  // Copies A into vectors of consecutive k, [k / vector][m][vector], the last one filled up with
  // zeros: m rows of k elements, each rounded up to 64 bytes.
  void (*pack)(const GemmOperands&, void* packed_a) = nullptr;
  void (*compute)(const GemmOperands&, const void* packed_a, const Tile&) = nullptr;
  std::int64_t element_bytes = 0;  // of A when packed
};

// The kernel for a problem's types and scaling; empty where there is none.
namespace baseline {
DotKernel dot_kernel(const Gemm& problem);
}
namespace v3 {
DotKernel dot_kernel(const Gemm& problem);
}
namespace v4 {
DotKernel dot_kernel(const Gemm& problem);
}
namespace v4_dot {
DotKernel dot_kernel(const Gemm& problem);
}

}  // namespace steelyard::cpu
