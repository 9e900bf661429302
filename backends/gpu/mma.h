// SPDX-License-Identifier: Apache-2.0
// Matrix products of tiles by all warps of a block. What a lane holds of a tile is known to
// mma_cuda.h and mma_hip.h only, so that a kernel is the same on every matrix unit.
//
// All sums are made of 16x16 tiles. A fragment is the part of 16 rows of an operand that the lanes
// of a warp hold for one step along the depth: 16 bytes a lane, step_bytes of every row. A lowering
// provides
//   Fragment, step_bytes, tiles_per_fragment
//   Sum<T>                                what products of T are summed in
//   TileMap<T>                            where the values of a lane lie in a tile of sums
//   load_fragment(tile, row, i, step)     of the i-th 16 rows from `row` on, from shared memory, also
//                                         of a DecodedOperand
//   load_paired_fragment                  the same, its depth in the order of packed sums
//   multiply<T>(sums, a, b)               sums += a b^T for one tile
#pragma once

#include <type_traits>

#include "backends/gpu/fp8_pairs.h"

#ifdef STEELYARD_GPU_HIP  // what gpu.h is for the device, these are for its matrix units
#include "backends/gpu/mma_hip.h"
#else
#include "backends/gpu/mma_cuda.h"
#endif

namespace steelyard::gpu {

inline constexpr int tile_edge = 16;
inline constexpr int tile_values = tile_edge * tile_edge / warp_size;  // of a lane

// One number per row of an Accumulator, in every lane that holds values of the row.
template <class S, int tiles>
struct RowValues {
  S value[tiles][rows_per_lane];

  __device__ static RowValues filled(S with) {
    RowValues all;
    for (auto& tile : all.value)
      for (S& row : tile) row = with;
    return all;
  }
};

// One number per column of an Accumulator, in every lane that holds values of the column.
template <class S, int tiles>
struct ColumnValues {
  S value[tiles][tile_values];
};

// Combines two RowValues row by row.
template <class S, int tiles, class F>
__device__ RowValues<S, tiles> zip(const RowValues<S, tiles>& a, const RowValues<S, tiles>& b,
                                   F f) {
  RowValues<S, tiles> result;
#pragma unroll
  for (int i = 0; i < tiles; ++i)
#pragma unroll
    for (int r = 0; r < rows_per_lane; ++r) result.value[i][r] = f(a.value[i][r], b.value[i][r]);
  return result;
}

// Combines the numbers that the lanes which share a row have of it.
template <class S, int tiles, class F>
__device__ RowValues<S, tiles> combine_lanes(RowValues<S, tiles> rows, F combine) {
#pragma unroll
  for (auto& tile : rows.value)
#pragma unroll
    for (S& row : tile)
#pragma unroll
      for (int bit = 1; bit < warp_size; bit *= 2)
        if ((lanes_of_a_row & bit) != 0) row = combine(row, shuffle_xor(row, bit));
  return rows;
}

// Whether this lane acts for the rows that it shares with others.
__device__ inline bool leads_rows() {
  return (static_cast<int>(threadIdx.x) & lanes_of_a_row) == 0;
}

// Sums [rows, columns] of products of T, divided among warps_m x warps_n warps. Opaque: reached
// through functions that are called for every value this thread holds. They must be inlined: sums whose
// address is taken are not in registers.
template <class T, int rows_, int columns_, int warps_m_, int warps_n_>
class Accumulator {
 public:
  using Value = T;
  using S = Sum<T>;
  static constexpr int rows = rows_, columns = columns_, warps_m = warps_m_, warps_n = warps_n_;
  static constexpr int tiles_m = rows / warps_m / tile_edge;
  static constexpr int tiles_n = columns / warps_n / tile_edge;
  static constexpr int threads = warps_m * warps_n * warp_size;
  static constexpr int run = TileMap<T>::run;  // columns side by side that a thread holds
  using Rows = RowValues<S, tiles_m>;
  using Columns = ColumnValues<S, tiles_n>;
  static_assert(tiles_m * warps_m * tile_edge == rows && tiles_n * warps_n * tile_edge == columns);

  __device__ Accumulator()
      : first_row_(uniform(warp() / warps_n) * (tiles_m * tile_edge)),
        first_column_(uniform(warp() % warps_n) * (tiles_n * tile_edge)) {
    fill(S{});
  }
  __device__ void fill(S with) {
    for_each([=](int, int, S& sum) { sum = with; });
  }

  // Where this warp's part begins.
  __device__ int first_row() const { return first_row_; }
  __device__ int first_column() const { return first_column_; }

  // f(row, column, value&)
  template <class F>
  __device__ __forceinline__ void for_each(F f) {
    for_each_run([&](int row, int column, S(&values)[run]) {
#pragma unroll
      for (int v = 0; v < run; ++v) f(row, column + v, values[v]);
    });
  }

  // f(row, first column, values[run]&): columns side by side, the first a multiple of `run`.
  template <class F>
  __device__ __forceinline__ void for_each_run(F f) {
#pragma unroll
    for (int i = 0; i < tiles_m; ++i)
      for_each_run_of_strip(
          i, [&](int row, int column, S(&values)[run]) __attribute__((always_inline)) {
            f(first_row_ + i * tile_edge + row, first_column_ + column, values);
          });
  }

  // The same for the i-th of this warp's tiles_m strips of 16 rows, with rows and columns counted
  // from where the strip begins.
  template <class F>
  __device__ __forceinline__ void for_each_run_of_strip(int i, F f) {
#pragma unroll
    for (int j = 0; j < tiles_n; ++j)
#pragma unroll
      for (int v = 0; v < tile_values; v += run)
        f(TileMap<T>::row(v), j * tile_edge + TileMap<T>::column(v),
          reinterpret_cast<S(&)[run]>(value[i][j][v]));
  }

  // f(value&, number of its row)
  template <class F>
  __device__ __forceinline__ void for_each_with(const Rows& numbers, F f) {
    for_each_index([&](int i, int j, int v) __attribute__((always_inline)) {
      f(value[i][j][v], numbers.value[i][TileMap<T>::row_slot(v)]);
    });
  }
  __device__ void scale_rows(const Rows& factors) {
    for_each_with(factors, [](S& sum, S factor) { sum *= factor; });
  }

  // Value by value.
  __device__ void multiply_by(const Accumulator& other) {
    for_each_index([&](int i, int j, int v)
                       __attribute__((always_inline)) { value[i][j][v] *= other.value[i][j][v]; });
  }

  // f(column) of every column.
  template <class F>
  __device__ __forceinline__ Columns columns_by(F f) const {
    Columns result;
#pragma unroll
    for (int j = 0; j < tiles_n; ++j)
#pragma unroll
      for (int v = 0; v < tile_values; ++v)
        result.value[j][v] = f(first_column_ + j * tile_edge + TileMap<T>::column(v));
    return result;
  }
  // Adds other's values, each times the factor of its column, and leaves zeros there.
  __device__ void take_scaled(Accumulator& other, const Columns& factors) {
    for_each_index([&](int i, int j, int v) __attribute__((always_inline)) {
      value[i][j][v] += other.value[i][j][v] * factors.value[j][v];
      other.value[i][j][v] = 0;
    });
  }

  // Combines with `result` what this lane holds of every row.
  template <class F>
  __device__ Rows fold_rows(Rows result, F combine) const {
    for_each_index([&](int i, int j, int v) __attribute__((always_inline)) {
      S& row = result.value[i][TileMap<T>::row_slot(v)];
      row = combine(row, value[i][j][v]);
    });
    return result;
  }

  // Combines the values of every row, over the lanes that share it. Rows must not be divided among
  // warps.
  template <class F>
  __device__ Rows reduce_rows(S initial, F combine) const {
    static_assert(warps_n == 1, "a row belongs to one warp");
    return combine_lanes(fold_rows(Rows::filled(initial), combine), combine);
  }
  __device__ Rows row_max(S initial) const {
    return reduce_rows(initial, [](S a, S b) { return max(a, b); });
  }
  __device__ Rows row_sum() const {
    return reduce_rows(S{}, [](S a, S b) { return a + b; });
  }

  // f(row, number&), in each lane that holds values of the row.
  template <class F>
  __device__ void for_each_row(Rows& numbers, F f) const {
#pragma unroll
    for (int i = 0; i < tiles_m; ++i)
#pragma unroll
      for (int r = 0; r < rows_per_lane; ++r)
        f(first_row_ + i * tile_edge + row_of_slot(r), numbers.value[i][r]);
  }

  S value[tiles_m][tiles_n][tile_values];  // for the functions of this header and its lowerings

 private:
  // f(i, j, v): every value[i][j][v].
  template <class F>
  static __device__ __forceinline__ void for_each_index(F f) {
#pragma unroll
    for (int i = 0; i < tiles_m; ++i)
#pragma unroll
      for (int j = 0; j < tiles_n; ++j)
#pragma unroll
        for (int v = 0; v < tile_values; ++v) f(i, j, v);
  }

  static __device__ int warp() {
    return static_cast<int>(threadIdx.x) / warp_size;
  }

  int first_row_, first_column_;
};

// A factor [rows, depth] in registers: what an Accumulator holds, rounded to T.
template <class T, int tiles_m_, int steps_>
struct RegisterOperand {
  using Value = T;
  static constexpr int tiles_m = tiles_m_, steps = steps_;
  Fragment fragment[tiles_m][steps];
};

// The sums of a first product as the left factor of a second one, without leaving the registers.
template <class T, class Acc>
__device__ auto round_to_operand(const Acc& acc) {
  static_assert(Acc::warps_n == 1, "a row belongs to one warp");
  static_assert(sizeof(T) == 2 && Acc::tiles_n % tiles_per_fragment == 0);
  RegisterOperand<T, Acc::tiles_m, Acc::tiles_n / tiles_per_fragment> operand;
#pragma unroll
  for (int i = 0; i < Acc::tiles_m; ++i)
#pragma unroll
    for (int step = 0; step < Acc::tiles_n / tiles_per_fragment; ++step) {
      float values[8];
#pragma unroll
      for (int v = 0; v < 8; ++v)
        values[v] = acc.value[i][step * tiles_per_fragment + v / tile_values][v % tile_values];
      operand.fragment[i][step] = pack<T>(values);
    }
  return operand;
}

// A left factor of many products: the tile itself, or, held in registers, what each warp needs of it.
template <class Acc, class Tile, bool in_registers>
using LeftFactor = std::conditional_t<
    in_registers,
    RegisterOperand<typename Tile::Value, Acc::tiles_m,
                    Tile::depth* static_cast<int>(sizeof(typename Tile::Value)) / step_bytes>,
    Tile>;

// Called behind a barrier that made the tile visible; held in registers, its memory is free behind
// the next one.
template <bool in_registers, class Acc, class Tile>
__device__ LeftFactor<Acc, Tile, in_registers> hold(const Acc& acc, const Tile& tile) {
  if constexpr (in_registers) {
    LeftFactor<Acc, Tile, true> held;
#pragma unroll
    for (int i = 0; i < Acc::tiles_m; ++i)
#pragma unroll
      for (int step = 0; step < held.steps; ++step)
        held.fragment[i][step] = load_paired_fragment(tile, acc.first_row(), i, step);
    return held;
  } else {
    return tile;
  }
}

namespace detail {

template <class Acc>
__device__ void multiply_all(Acc& acc, const Fragment (&a)[Acc::tiles_m],
                             const Fragment (&b)[Acc::tiles_n]) {
#pragma unroll
  for (int i = 0; i < Acc::tiles_m; ++i)
#pragma unroll
    for (int j = 0; j < Acc::tiles_n; ++j)
      multiply<typename Acc::Value>(acc.value[i][j], a[i], b[j]);
}

}  // namespace detail

// acc += a b^T for a[rows, depth] and b[columns, depth] in shared memory. Called by all threads of
// the block, behind a barrier that made the tiles visible; they are free behind the next one.
template <class Acc, class A, class B>
requires requires {
  A::stored;
}
__device__ void tile_mma(Acc& acc, const A& a, const B& b) {
  static_assert(A::rows == Acc::rows && B::rows == Acc::columns && A::depth == B::depth);
  constexpr int steps = A::depth * static_cast<int>(sizeof(typename A::Value)) / step_bytes;
  static_assert(steps * step_bytes == A::depth * static_cast<int>(sizeof(typename A::Value)));
  Fragment as[2][Acc::tiles_m], bs[2][Acc::tiles_n];
  const auto load = [&](int step) {
#pragma unroll
    for (int i = 0; i < Acc::tiles_m; ++i)
      as[step % 2][i] = load_fragment(a, acc.first_row(), i, step);
#pragma unroll
    for (int j = 0; j < Acc::tiles_n; ++j)
      bs[step % 2][j] = load_fragment(b, acc.first_column(), j, step);
  };
  load(0);
#pragma unroll
  for (int step = 0; step < steps; ++step) {  // the next fragments are under way meanwhile
    if (step + 1 < steps) load(step + 1);
    detail::multiply_all(acc, as[step % 2], bs[step % 2]);
  }
}

// The same with a left factor in registers, of which each warp holds its own rows.
template <class Acc, class T, int tiles_m, int steps, class B>
__device__ void tile_mma(Acc& acc, const RegisterOperand<T, tiles_m, steps>& a, const B& b) {
  static_assert(Acc::warps_n == 1 && tiles_m == Acc::tiles_m && B::rows == Acc::columns);
  static_assert(B::depth == steps * tiles_per_fragment * tile_edge);
  constexpr int fragments = steps * Acc::tiles_n;
  const auto load = [&](int f) {
    return load_paired_fragment(b, 0, f % Acc::tiles_n, f / Acc::tiles_n);
  };
  Fragment next = load(0);
#pragma unroll
  for (int f = 0; f < fragments; ++f) {
    const Fragment b_fragment = next;
    if (f + 1 < fragments) next = load(f + 1);  // under way meanwhile
#pragma unroll
    for (int i = 0; i < tiles_m; ++i)
      multiply<T>(acc.value[i][f % Acc::tiles_n], a.fragment[i][f / Acc::tiles_n], b_fragment);
  }
}

inline constexpr int values_of_fragment = step_bytes / 2;  // along the depth, of 16 bits

// The same for b in pairs. Where they lie along the depth, that of `a` is in the order of
// place_when_split<values_of_fragment>; where along the rows, the columns of the sums are in the order of
// place_when_split<tile_edge>.

template <class Acc, class T, int tiles_m, int steps, class B>
requires(values_of<typename B::Value> == 2) __device__
    void tile_mma(Acc& acc, const RegisterOperand<T, tiles_m, steps>& a, const B& b) {
  constexpr bool along_depth = B::order == Order::depth_contiguous;
  static_assert(Acc::warps_n == 1 && tiles_m == Acc::tiles_m);
  static_assert(B::rows * (along_depth ? 1 : 2) == Acc::columns);
  static_assert(B::depth * (along_depth ? 2 : 1) == steps * values_of_fragment);
  constexpr int across = along_depth ? Acc::tiles_n : Acc::tiles_n / 2;  // fragments of pairs
  constexpr int fragments = steps * Acc::tiles_n / 2;
  const auto load = [&](int f) { return load_paired_fragment(b, 0, f % across, f / across); };
  Fragment next = load(0);
#pragma unroll
  for (int f = 0; f < fragments; ++f) {
    const Fragment pairs = next;
    if (f + 1 < fragments) next = load(f + 1);  // under way meanwhile
    Fragment split[2];
#pragma unroll
    for (int w = 0; w < 4; ++w) split_pairs<T>(pairs.word[w], split[0].word[w], split[1].word[w]);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int column = along_depth ? f % across : 2 * (f % across) + half;
      const int step = along_depth ? 2 * (f / across) + half : f / across;
#pragma unroll
      for (int i = 0; i < tiles_m; ++i)
        multiply<T>(acc.value[i][column], a.fragment[i][step], split[half]);
    }
  }
}

}  // namespace steelyard::gpu
