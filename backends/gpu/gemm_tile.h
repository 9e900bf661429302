// SPDX-License-Identifier: Apache-2.0
// What the GEMM kernels of gemm_tile_kernel.h and gemm_simt.cu are told, and the table of the
// compiled ones.
#pragma once

#include <span>

#include "backends/gpu/gpu.h"
#include "backends/problem.h"

namespace steelyard::gpu {

// The tiles of C[m, n], whose rows may belong to several groups.
struct TileSchedule {
  int m = 0, n = 0;
  int groups = 1;
  const int* offsets = nullptr;  // first rows of the groups and the end of the last, if several
  int dies = 1;
};

// Tiles are `rows` high. Groups end within a tile: each may have one more.
__host__ __device__ constexpr std::int64_t tile_rows(const TileSchedule& s, int rows) {
  return (s.m + rows - 1) / rows + s.groups - 1;
}

// What happens to sums on their way to C[m, n].
struct Epilogue {
  void* c = nullptr;
  DType type = DType::f32;  // of c
  std::int64_t n = 0;
  double alpha = 1, beta = 0;
  const float* row_scale = nullptr;  // of w8a8: a_scale[m] and b_scale[n]
  const float* column_scale = nullptr;
};

// Whether products of two a can be rounded to c.
inline bool is_output_type(DType a, DType c) {
  if (a == DType::f64) return c == a;
  const bool wider = c == DType::f32 || (bits(a) == 8 && (c == DType::bf16 || c == DType::f16));
  return wider || c == (a == DType::int8 ? DType::int32 : a);
}

// C = epilogue(A B) for A[m, k], B[k, n] in a layout of Gemm's; of grouped products B[groups, k, n].
struct TileGemm {
  const void* a = nullptr;
  const void* b = nullptr;
  int k = 0;
  TileSchedule schedule;
  Epilogue epilogue;
  const float* group_scale = nullptr;  // of w4a16: b_scale[k / scale_group, n]
  int splits = 1;                      // blocks that divide the depth of a tile
  void* partial = nullptr;             // [splits, m, n] of sums, where splits > 1
};

struct TileShape {
  int rows, columns, depth_bytes;  // of the tile of C, and of a slab
  int warps_m, warps_n;
  int stages;  // slabs in shared memory

  constexpr int threads() const { return warps_m * warps_n * warp_size; }
};

// One compiled kernel. whole_chunks: every line of A and B begins at a multiple of 16 bytes, and n is
// a multiple of 4. Others take any operands, element by element.
struct TileVariant {
  TileShape shape;
  bool whole_chunks;
  void (*enqueue)(const TileGemm&, StreamHandle);
};

struct bf16;  // number.h
struct f16;
struct tf32;
struct fp8_e4m3;
struct fp8_e5m2;

// Those of a type and a layout, the largest tiles first; gemm_tile_*.cu.
template <class T>
std::span<const TileVariant> tile_variants(Layout layout);

// The same for int4 weights B, with whole_chunks for nt alone.
template <class T>
std::span<const TileVariant> int4_tile_variants(Layout layout);

}  // namespace steelyard::gpu
