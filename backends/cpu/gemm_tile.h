// SPDX-License-Identifier: Apache-2.0
// One tile of C = alpha A B + beta C by one thread: what gemm_tile.cpp, compiled once per
// instruction set, offers to gemm.cpp, compiled once.
#pragma once

#include <cstdint>

#include "backends/dtype.h"

namespace steelyard::cpu {

struct GemmOperands {
  const void* a;
  const void* b;
  void* c;
  std::int64_t m, n, k;
  bool a_transposed, b_transposed;
  double alpha, beta;
};

struct Tile {
  std::int64_t row, column, rows, columns;  // of C
};

// The kernel for one pair of input and output types.
struct TileKernel {
  void (*compute)(const GemmOperands&, const Tile&, void* workspace) = nullptr;
  std::int64_t panel_rows = 0, panel_columns = 0;  // a tile's sides are best a multiple of these
  std::int64_t max_rows = 0, max_columns = 0;      // and at most so large
  std::int64_t workspace_bytes = 0;                // of one thread
};

// `compute` is null for a pair that no kernel computes.
namespace baseline {
TileKernel tile_kernel(DType input, DType output);
}
namespace v3 {
TileKernel tile_kernel(DType input, DType output);
}
namespace v4 {
TileKernel tile_kernel(DType input, DType output);
}
namespace v4_dot {
TileKernel tile_kernel(DType input, DType output);
}

}  // namespace steelyard::cpu
