// SPDX-License-Identifier: Apache-2.0
// GEMM by matrix units.
//
// Idea: a block computes a tile of C. Slabs of A and B pass through shared memory in a pipeline, so
// that copies run beside products; each warp keeps its part of the tile in registers and reads
// every fragment once per slab. Where C has too few tiles for the device, several blocks divide the
// depth of a tile and a second kernel adds their sums up.
// Traffic: A once per tile column, B once per tile row, most of it from L2; C once.
// Limits: matrix units for large tiles, shared memory for small ones, DRAM where m is small.
#pragma once

#include <algorithm>

#include "backends/gpu/gemm_epilogue.h"
#include "backends/gpu/gemm_tile.h"
#include "backends/gpu/mma.h"
#include "backends/gpu/tile_schedule.h"

namespace steelyard::gpu {

// A TileShape as a type.
template <int... numbers>
struct Shape {
  static constexpr TileShape shape = {numbers...};
};

// What a kernel is compiled for. int4 weights stay packed: BValue is int4x8.
template <class T_, class Shape, Order a_order_, Order b_order_, bool whole_chunks_,
          class BValue = T_>
struct TileConfiguration {
  using T = T_;
  static constexpr TileShape shape = Shape::shape;
  static constexpr Order a_order = a_order_, b_order = b_order_;
  static constexpr bool whole_chunks = whole_chunks_;
  static constexpr int depth = shape.depth_bytes / static_cast<int>(sizeof(T));
  static constexpr int threads = shape.threads();
  // What must fit at once, as the vendors count for __launch_bounds__: AMD waves of a SIMD, of which two
  // leave registers enough without moves between their two files; NVIDIA blocks of a
  // multiprocessor, where shared memory bounds them first.
  static constexpr int residents = warp_size == 64 ? 2 : 1;
  using A = SharedOperand<T, shape.rows, depth, a_order>;
  using B = SharedOperand<BValue, shape.columns, depth / values_of<BValue>, b_order>;
  using CopyB = TileCopy<B, threads, whole_chunks>;
  using Sums = Accumulator<T, shape.rows, shape.columns, shape.warps_m, shape.warps_n>;
  static constexpr std::size_t stage_bytes = A::bytes + B::bytes;
  static constexpr std::size_t shared_bytes =
      std::max(shape.stages * stage_bytes, Strip<Sums>::bytes_of_block);

  static __device__ A a(int stage) {
    return A(dynamic_shared_memory() + static_cast<std::size_t>(stage) * stage_bytes);
  }
  static __device__ B b(int stage) {
    return B(dynamic_shared_memory() + static_cast<std::size_t>(stage) * stage_bytes + A::bytes);
  }
};

// The slabs of a tile's depth that a block takes, one of p.splits: [first, last).
struct SlabRange {
  int first, last;
};
template <class C>
__device__ SlabRange slabs_of_block(const TileGemm& p) {
  const std::int64_t slabs = (p.k + C::depth - 1) / C::depth, split = blockIdx.y;
  return {static_cast<int>(slabs * split / p.splits),
          static_cast<int>(slabs * (split + 1) / p.splits)};
}

// Brings the slabs of `range` of A and B to shared memory, for consume(slab, stage); b is where B lies.
template <class C, class B, class Consume>
__device__ __forceinline__ void stream_slabs(const TileGemm& p, const TilePlace& place, const B& b,
                                             SlabRange range, Consume consume) {
  const SourceOf<typename C::A> a = {static_cast<const typename C::T*>(p.a),
                                     C::a_order == Order::depth_contiguous ? p.k : p.schedule.m,
                                     place.last_row, p.k};
  TileCopy<typename C::A, C::threads, C::whole_chunks> copy_a;
  typename C::CopyB copy_b;
  pipeline<C::shape.stages>(
      range.last - range.first,
      [&](int slab, int stage, auto last) {
        const int at = range.first + slab;
        copy_a.issue(a, place.first_row, at * C::A::depth, C::a(stage), last);
        copy_b.issue(b, place.first_column, at * C::B::depth, C::b(stage), last);
      },
      [&](int, int stage) {
        copy_a.commit(C::a(stage));
        copy_b.commit(C::b(stage));
      },
      [&](int slab, int stage)
          __attribute__((always_inline)) { consume(range.first + slab, stage); });
}

// Tile of C or, where its depth is split, this split's part of it.
template <class C>
__device__ __forceinline__ void store_sums(typename C::Sums& sums, const TileGemm& p,
                                           const TilePlace& place) {
  using S = typename C::Sums::S;
  const std::int64_t m = p.schedule.m, n = p.schedule.n;
  Epilogue epilogue = p.epilogue;
  if (p.splits > 1)
    epilogue = {.c = static_cast<S*>(p.partial) + blockIdx.y * m * n,
                .type = sum_type<typename C::T>,
                .n = n};
  store_tile<C::whole_chunks>(sums, epilogue, place.first_row, place.last_row, place.first_column);
}

template <class C>
__global__ void __launch_bounds__(C::threads, C::residents) multiply_tiles(TileGemm p) {
  const TilePlace place = place_tile(p.schedule, C::shape.rows, C::shape.columns);
  if (place.first_row >= place.last_row) return;
  const int n = p.schedule.n;
  const SourceOf<typename C::B> b = {
      static_cast<const typename C::T*>(p.b) + static_cast<std::int64_t>(place.group) * p.k * n,
      C::b_order == Order::depth_contiguous ? p.k : n, n, p.k};
  typename C::Sums sums;
  stream_slabs<C>(
      p, place, b, slabs_of_block<C>(p), [&](int, int stage) __attribute__((always_inline)) {
        tile_mma(sums, C::a(stage), C::b(stage));
      });
  store_sums<C>(sums, p, place);
}

// C from the sums of all splits, in their order.
template <class T>
__global__ void __launch_bounds__(256) add_splits(TileGemm p) {
  const std::int64_t size = static_cast<std::int64_t>(p.schedule.m) * p.schedule.n;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * 256 + threadIdx.x;
  if (i >= size) return;
  Sum<T> sum{};
  for (int split = 0; split < p.splits; ++split)
    sum += static_cast<const Sum<T>*>(p.partial)[split * size + i];
  with_output_type<T>(p.epilogue.type, [&]<class Out>(Out) {
    static_cast<Out*>(p.epilogue.c)[i] =
        finish<Out>(p.epilogue, i / p.schedule.n, i % p.schedule.n, sum);
  });
}

// Launches a kernel of C's tiles, and what adds its splits up.
template <class C, void (*kernel)(TileGemm)>
void enqueue_tiles(const TileGemm& p, StreamHandle stream) {
  const std::int64_t across = (p.schedule.n + C::shape.columns - 1) / C::shape.columns;
  launch(kernel,
         {.blocks = tile_rows(p.schedule, C::shape.rows) * across,
          .threads = C::threads,
          .shared_bytes = C::shared_bytes,
          .blocks_y = p.splits},
         stream, p);
  if (p.splits == 1) return;
  const std::int64_t size = static_cast<std::int64_t>(p.schedule.m) * p.schedule.n;
  launch(add_splits<typename C::T>, {.blocks = (size + 255) / 256, .threads = 256}, stream, p);
}

template <class C, void (*kernel)(TileGemm) = multiply_tiles<C>>
inline constexpr TileVariant tile_variant = {C::shape, C::whole_chunks, enqueue_tiles<C, kernel>};

}  // namespace steelyard::gpu
