// SPDX-License-Identifier: Apache-2.0
// Tiles on NVIDIA: products by mma.sync and ldmatrix, copies by cp.async; sm_80 and newer. Register
// maps: vendor_ptx.h.
#pragma once

#include "backends/gpu/copy_tile.h"
#include "backends/gpu/int4.h"
#include "backends/gpu/number.h"
#include "backends/gpu/vendor_ptx.h"

namespace steelyard::gpu {

// Fragment word j: row g + 8 (j % 2), bytes 16 (j / 2) + 4t of the step, for g = lane / 4 and
// t = lane % 4. Of f64: words 0 and 1 row g, 2 and 3 row g + 8, element t.
using Fragment = Chunk;
inline constexpr int step_bytes = 32;
inline constexpr int tiles_per_fragment = 1;  // 16 columns of 16-bit sums are 32 bytes

template <class T>
using Sum = std::conditional_t<std::is_same_v<T, double>, double,
                               std::conditional_t<std::is_same_v<T, std::int8_t>, int, float>>;

inline constexpr int rows_per_lane = 2;   // of a tile
inline constexpr int lanes_of_a_row = 3;  // the bits in which their numbers differ
__device__ inline int row_of_slot(int slot) {
  return static_cast<int>(threadIdx.x) % warp_size / 4 + 8 * slot;
}

// Values 0 to 3 are the sums of columns 0 to 7, values 4 to 7 those of columns 8 to 15.
template <class T>
struct TileMap {
  static constexpr int run = 2;
  static constexpr __device__ int row_slot(int v) { return v / 2 % 2; }
  static __device__ int row(int v) { return row_of_slot(row_slot(v)); }
  static __device__ int column(int v) {
    return static_cast<int>(threadIdx.x) % 4 * 2 + v % 2 + v / 4 * 8;
  }
};

namespace detail {

template <class Tile>
__device__ Fragment load_f64_fragment(const Tile& tile, int row, int step) {
  Fragment fragment;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const double* element =
        tile.element(row + row_of_slot(half), 4 * step + static_cast<int>(threadIdx.x) % 4);
    const uint2 words = *reinterpret_cast<const uint2*>(element);
    fragment.word[2 * half] = words.x;
    fragment.word[2 * half + 1] = words.y;
  }
  return fragment;
}

__device__ inline double to_double(unsigned low, unsigned high) {
  return __builtin_bit_cast(double, std::uint64_t{high} << 32 | low);
}

// The product of 16 rows and 8 columns.
template <class T, class S>
__device__ void multiply_half(S (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  if constexpr (std::is_same_v<T, bf16>)
    ptx::mma_m16n8k16_bf16(d, a, b);
  else if constexpr (std::is_same_v<T, f16>)
    ptx::mma_m16n8k16_f16(d, a, b);
  else if constexpr (std::is_same_v<T, tf32>)
    ptx::mma_m16n8k8_tf32(d, a, b);
  else if constexpr (std::is_same_v<T, std::int8_t>)
    ptx::mma_m16n8k32_s8(d, a, b);
  else if constexpr (std::is_same_v<T, fp8_e4m3>)
    ptx::mma_m16n8k32_e4m3(d, a, b);
  else if constexpr (std::is_same_v<T, fp8_e5m2>)
    ptx::mma_m16n8k32_e5m2(d, a, b);
}

}  // namespace detail

template <class Tile>
__device__ Fragment load_fragment(const Tile& tile, int first_row, int i, int step) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  Fragment fragment;
  if constexpr (sizeof(typename Tile::Value) == 8)
    fragment = detail::load_f64_fragment(tile, first_row + 16 * i, step);
  else if constexpr (Tile::stored == Order::depth_contiguous)
    ptx::ldmatrix_x4(fragment.word,
                     tile.chunk(first_row + lane % 16, 2 * step + lane / 16, 16 * i));
  else
    ptx::ldmatrix_x4_trans(
        fragment.word,
        tile.chunk(lane / 16 * 8 + lane % 8, first_row / 8 + 2 * i + lane / 8 % 2, 16 * step));
  return fragment;
}

template <class Tile>
__device__ Fragment load_paired_fragment(const Tile& tile, int first_row, int i, int step) {
  return load_fragment(tile, first_row, i, step);  // sums lie as factors do
}

template <class T>
__device__ Fragment pack(const float (&values)[8]) {
  Fragment fragment;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const float low = values[2 * j], high = values[2 * j + 1];
    fragment.word[j] =
        std::is_same_v<T, bf16> ? ptx::round_to_bf16x2(low, high) : ptx::round_to_f16x2(low, high);
  }
  return fragment;
}

template <class T>
__device__ void multiply(Sum<T> (&d)[8], const Fragment& a, const Fragment& b) {
  using Half = Sum<T>[4];
  if constexpr (std::is_same_v<T, double>) {
#pragma unroll
    for (int quarter = 0; quarter < 4; ++quarter) {  // 8 rows by 8 columns each
      const int i = quarter % 2 * 2, j = quarter / 2 * 2;
      ptx::mma_m8n8k4_f64(reinterpret_cast<double(&)[2]>(d[2 * quarter]),
                          detail::to_double(a.word[i], a.word[i + 1]),
                          detail::to_double(b.word[j], b.word[j + 1]));
    }
  } else {
    detail::multiply_half<T>(reinterpret_cast<Half&>(d[0]), a.word, {b.word[0], b.word[2]});
    detail::multiply_half<T>(reinterpret_cast<Half&>(d[4]), a.word, {b.word[1], b.word[3]});
  }
}

// Copies 16 bytes at a time without passing registers; commit() has nothing left to do.
template <class Tile, int threads>
class AsyncTileCopy {
 public:
  template <class Source, bool last = true>
  __device__ void issue(const Source& from, int row, int depth, Tile to,
                        std::bool_constant<last> = {}) {
    const int line = Tile::line_of(row, depth), place = Tile::line_of(depth, row);
    for_each_chunk<Tile, threads>([&](int, int l, int chunk) {
      const int p = place + chunk * Tile::chunk_size;
      const bool valid = line + l < from.lines() && p < from.length();
      const auto* source = valid ? from.line(line + l) + p : from.data;
      ptx::copy_async_16(to.chunk(l, chunk), source, valid);
    });
  }
  __device__ void commit(Tile) {}
};

// Two neighbours along the depth are a byte of a word that four lanes share.
template <class T, class Tile>
__device__ Fragment load_fragment(const DecodedOperand<T, Tile>& operand, int first_row, int i,
                                  int step) {
  const int shift = static_cast<int>(threadIdx.x) % 4 * 8;
  Fragment fragment;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = first_row + 16 * i + row_of_slot(half);
    const uint2 words = *reinterpret_cast<const uint2*>(operand.tile.element(row, 2 * step));
    fragment.word[half] = decode_int4_pair<T>(words.x >> shift);
    fragment.word[2 + half] = decode_int4_pair<T>(words.y >> shift);
  }
  return fragment;
}

template <class Tile, int threads, bool whole_chunks>
using TileCopy =
    std::conditional_t<whole_chunks && Tile::stored == Tile::order, AsyncTileCopy<Tile, threads>,
                       RegisterTileCopy<Tile, threads, whole_chunks>>;

// Until every copy that this thread has issued is there for it; a barrier makes it so for all.
__device__ inline void finish_copies() {
  ptx::copy_async_commit();
  ptx::copy_async_wait<0>();
}

inline constexpr int most_stages = 8;

// The slabs 0 to count - 1 of a product, `stages` of them in shared memory at a time: while one is
// consumed, stages - 1 are on their way. issue(slab, stage, last) and commit(slab, stage) fill a stage,
// consume(slab, stage) uses it. last is std::true_type here: any slab may be the last one. Ends
// without a barrier.
template <int stages, class Issue, class Commit, class Consume>
__device__ void pipeline(int count, Issue issue, Commit commit, Consume consume) {
  static_assert(stages >= 2 && stages <= most_stages);
#pragma unroll
  for (int slab = 0; slab < stages - 1; ++slab) {
    if (slab < count) {
      issue(slab, slab, std::true_type());
      commit(slab, slab);
    }
    ptx::copy_async_commit();
  }
  int stage = 0, free_stage = stages - 1;
  for (int slab = 0; slab < count; ++slab) {
    ptx::copy_async_wait<stages - 2>();
    __syncthreads();  // `slab` is there for all threads, and all are done with the one before
    const int next = slab + stages - 1;
    if (next < count) issue(next, free_stage, std::true_type());
    ptx::copy_async_commit();
    consume(slab, stage);
    if (next < count) commit(next, free_stage);
    free_stage = stage;
    stage = stage + 1 < stages ? stage + 1 : 0;
  }
}

}  // namespace steelyard::gpu
