// SPDX-License-Identifier: Apache-2.0
// One tile of C = alpha A B + beta C by one thread: what gemm_tile.cpp, compiled once per
// instruction set, offers to gemm.cpp, compiled once.
#pragma once

#include <cstdint>

#include "backends/problem.h"

namespace steelyard::cpu {

struct GemmOperands {
  const void* a;
  const void* b;  // one after the other where there are groups
  void* c;
  const float* a_scale;  // [m], of w8a8
  const float* b_scale;  // [n] of w8a8, [k / scale_group][n] of w4a16
  std::int64_t m, n, k;
  bool a_transposed, b_transposed;
  double alpha, beta;
};

struct Tile {
  std::int64_t row, column, rows, columns;  // of C
  std::int64_t group;                       // whose B it takes
};

// The kernel for one pair of input and output types.
struct TileKernel {
  void (*compute)(const GemmOperands&, const Tile&, void* workspace) = nullptr;
  std::int64_t panel_rows = 0, panel_columns = 0;  // a tile's sides are best a multiple of these
  std::int64_t max_rows = 0, max_columns = 0;      // and at most so large
  std::int64_t workspace_bytes = 0;                // of one thread
};

// The kernel for a problem's types and scaling; `compute` is null where there is none.
namespace baseline {
TileKernel tile_kernel(const Gemm& problem);
}
namespace v3 {
TileKernel tile_kernel(const Gemm& problem);
}
namespace v4 {
TileKernel tile_kernel(const Gemm& problem);
}
namespace v4_dot {
TileKernel tile_kernel(const Gemm& problem);
}

}  // namespace steelyard::cpu
