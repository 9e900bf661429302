// SPDX-License-Identifier: Apache-2.0
// What happens to the sums of a GEMM on their way to C[m, n]: scales, alpha, beta, one rounding.
#pragma once

#include <type_traits>

#include "backends/gpu/gemm_tile.h"
#include "backends/gpu/mma.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {

// What products of T are summed in.
template <class T>
inline constexpr DType sum_type = std::is_same_v<T, double>        ? DType::f64
                                  : std::is_same_v<T, std::int8_t> ? DType::int32
                                                                   : DType::f32;

// Calls f(C{}) with the storage type of C: the types that products of T are rounded to.
template <class T, class F>
__device__ __forceinline__ void with_output_type(DType type, F f) {
  if constexpr (std::is_same_v<T, double>) {
    f(double{});
  } else if constexpr (std::is_same_v<T, std::int8_t>) {
    if (type == DType::int32) return f(std::int32_t{});
    if (type == DType::f32) return f(float{});
    type == DType::bf16 ? f(bf16{}) : f(f16{});
  } else if constexpr (sizeof(T) == 1) {
    if (type == DType::f32) return f(float{});
    if (type == DType::bf16) return f(bf16{});
    type == DType::f16 ? f(f16{}) : f(T{});
  } else {
    if (type == DType::f32) return f(float{});
    f(T{});
  }
}

// An element of C from its sum. Sums of integers that stay integers have no scales, alpha 1 and
// beta 0.
template <class C, class S>
__device__ __forceinline__ C finish(const Epilogue& e, std::int64_t row, std::int64_t column,
                                    S sum) {
  if constexpr (std::is_same_v<C, std::int32_t>) {
    return sum;
  } else {
    using Number = std::conditional_t<std::is_same_v<S, double>, double, float>;
    Number value = static_cast<Number>(e.alpha) * static_cast<Number>(sum);
    if (e.row_scale != nullptr) value *= e.row_scale[row] * e.column_scale[column];
    if (e.beta != 0) {
      const C old = static_cast<const C*>(e.c)[row * e.n + column];
      if constexpr (std::is_same_v<C, double>)
        value += e.beta * old;
      else
        value += static_cast<float>(e.beta) * to_float(old);
    }
    if constexpr (std::is_same_v<C, double>) {
      return value;
    } else if constexpr (sizeof(C) == 1) {
      C nearest, unused;
      narrow(value, 0.f, nearest, unused);
      return nearest;
    } else {
      return from_float<C>(value);
    }
  }
}

// `count` columns side by side. Whole runs are written at once: rows of C and the first column are
// multiples of `count`.
template <class C, bool whole_runs, class S, int count>
__device__ __forceinline__ void finish_run(const Epilogue& e, std::int64_t row, std::int64_t column,
                                           const Vector<S, count>& sums) {
  C* const c = static_cast<C*>(e.c) + row * e.n + column;
  Vector<C, count> run;
#pragma unroll
  for (int i = 0; i < count; ++i) {
    if (!whole_runs && column + i >= e.n) break;
    run.element[i] = finish<C>(e, row, column + i, sums.element[i]);
    if (!whole_runs) c[i] = run.element[i];
  }
  if (whole_runs) store_vector(c, run);
}

// 16 rows of a warp's sums in shared memory. Rows are padded, so that lanes which write at once
// reach different banks.
template <class Sums>
struct Strip {
  using S = typename Sums::S;
  static constexpr int columns = Sums::tiles_n * tile_edge;
  static constexpr int pitch = columns + 16 * 4 / static_cast<int>(sizeof(S)) / Sums::run;
  static constexpr std::size_t bytes = sizeof(S) * tile_edge * pitch;  // of one warp
  static constexpr std::size_t bytes_of_block = Sums::threads / warp_size * bytes;
};

// Rows [first_row, last_row) of C, at most a tile, from sums. They pass through shared memory, one
// strip of every warp at a time: lanes then hold columns side by side that fill whole lines of
// memory, and one loop serves all types.
template <bool whole_runs, class Sums>
__device__ __forceinline__ void store_tile(Sums& sums, const Epilogue& e, int first_row,
                                           int last_row, int first_column) {
  using S = typename Sums::S;
  constexpr int run = Sums::run, width = 4;  // columns that a lane holds; that it stores
  constexpr int columns = Strip<Sums>::columns, pitch = Strip<Sums>::pitch;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int warp = static_cast<int>(threadIdx.x) / warp_size;
  S* const strip = reinterpret_cast<S*>(dynamic_shared_memory() + warp * Strip<Sums>::bytes);
  __syncthreads();  // nobody reads a slab any more
#pragma unroll
  for (int i = 0; i < Sums::tiles_m; ++i) {
    sums.for_each_run_of_strip(
        i, [&](int row, int column, const S(&values)[run]) __attribute__((always_inline)) {
          Vector<S, run> held;
#pragma unroll
          for (int v = 0; v < run; ++v) held.element[v] = values[v];
          store_vector(strip + row * pitch + column, held);
        });
    sync_warp();
#pragma unroll 1
    for (int at = lane * width; at < tile_edge * columns; at += warp_size * width) {
      const int strip_row = at / columns, strip_column = at % columns;
      const int row = first_row + sums.first_row() + i * tile_edge + strip_row;
      const int column = first_column + sums.first_column() + strip_column;
      if (row >= last_row || column >= e.n) continue;
      const auto stored = load_vector<width>(strip + strip_row * pitch + strip_column);
      with_output_type<typename Sums::Value>(
          e.type, [&]<class C>(C) __attribute__((always_inline)) {
            finish_run<C, whole_runs>(e, row, column, stored);
          });
    }
    sync_warp();
  }
}

}  // namespace steelyard::gpu
