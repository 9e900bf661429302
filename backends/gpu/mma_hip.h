// SPDX-License-Identifier: Apache-2.0
// Tiles on AMD: products by MFMA on 16x16 tiles, copies through registers; gfx90a and gfx942.
// Register maps: "AMD Instinct MI200/MI300 Instruction Set Architecture", matrix arithmetic.
//
// The factors are exchanged (D^T = B A^T), so that a lane holds columns side by side: they can be
// stored together, and 16-bit sums lie as the next product's left factor does.
#pragma once

#include "backends/gpu/copy_tile.h"
#include "backends/gpu/int4.h"
#include "backends/gpu/number.h"

namespace steelyard::gpu {

// Row lane % 16, bytes 16 (lane / 16) .. + 15 of the step: two instructions' worth. In which order
// the depth is summed does not matter as long as both factors agree.
using Fragment = Chunk;
inline constexpr int step_bytes = 64;
inline constexpr int tiles_per_fragment = 2;  // 32 columns of 16-bit sums are 64 bytes

template <class T>
using Sum = std::conditional_t<std::is_same_v<T, double>, double,
                               std::conditional_t<std::is_same_v<T, std::int8_t>, int, float>>;

inline constexpr int rows_per_lane = 1;    // of a tile
inline constexpr int lanes_of_a_row = 48;  // the bits in which their numbers differ
__device__ inline int row_of_slot(int) {
  return static_cast<int>(threadIdx.x) % 16;
}

template <class T>
struct TileMap {
  static constexpr bool is_f64 = std::is_same_v<T, double>;
  static constexpr int run = is_f64 ? 1 : 4;
  static constexpr __device__ int row_slot(int) { return 0; }
  static __device__ int row(int) { return row_of_slot(0); }
  static __device__ int column(int v) {
    const int quarter = static_cast<int>(threadIdx.x) % warp_size / 16;
    return is_f64 ? 4 * v + quarter : 4 * quarter + v;
  }
};

namespace detail {

template <class T, int count>
using Packed = T __attribute__((ext_vector_type(count)));

// Values [4 half, 4 half + 4) of a fragment of 16-bit numbers, or 8 bytes of one of any other.
template <class To>
__device__ To half_of(const Fragment& fragment, int half) {
  static_assert(sizeof(To) == 8);
  const Packed<unsigned, 2> words = {fragment.word[2 * half], fragment.word[2 * half + 1]};
  return __builtin_bit_cast(To, words);
}

// The product of one half of two fragments, added to d.
template <class T, class D>
__device__ D multiply_half(D d, const Fragment& a, const Fragment& b, int half) {
  if constexpr (std::is_same_v<T, bf16>) {
    using Bits = Packed<short, 4>;
    return __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(half_of<Bits>(b, half), half_of<Bits>(a, half),
                                                     d, 0, 0, 0);
  } else if constexpr (std::is_same_v<T, f16>) {
    using Halves = Packed<_Float16, 4>;
    return __builtin_amdgcn_mfma_f32_16x16x16f16(half_of<Halves>(b, half), half_of<Halves>(a, half),
                                                 d, 0, 0, 0);
  } else if constexpr (std::is_same_v<T, double>) {
    return __builtin_amdgcn_mfma_f64_16x16x4f64(half_of<double>(b, half), half_of<double>(a, half),
                                                d, 0, 0, 0);
#if defined(__gfx942__)
  } else if constexpr (std::is_same_v<T, tf32>) {
    using Pair = Packed<float, 2>;
    return __builtin_amdgcn_mfma_f32_16x16x8_xf32(half_of<Pair>(b, half), half_of<Pair>(a, half), d,
                                                  0, 0, 0);
  } else if constexpr (std::is_same_v<T, fp8_e4m3>) {
    return __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8(half_of<long>(b, half),
                                                      half_of<long>(a, half), d, 0, 0, 0);
  } else if constexpr (std::is_same_v<T, fp8_e5m2>) {
    return __builtin_amdgcn_mfma_f32_16x16x32_bf8_bf8(half_of<long>(b, half),
                                                      half_of<long>(a, half), d, 0, 0, 0);
  } else if constexpr (std::is_same_v<T, std::int8_t>) {
    return __builtin_amdgcn_mfma_i32_16x16x32_i8(half_of<long>(b, half), half_of<long>(a, half), d,
                                                 0, 0, 0);
#elif defined(__gfx90a__)
  } else if constexpr (std::is_same_v<T, std::int8_t>) {
    d = __builtin_amdgcn_mfma_i32_16x16x16i8(static_cast<int>(b.word[2 * half]),
                                             static_cast<int>(a.word[2 * half]), d, 0, 0, 0);
    return __builtin_amdgcn_mfma_i32_16x16x16i8(static_cast<int>(b.word[2 * half + 1]),
                                                static_cast<int>(a.word[2 * half + 1]), d, 0, 0, 0);
#endif
  } else {
    __builtin_trap();  // the device has no such instruction: kernels ask first
  }
}

}  // namespace detail

// Read as a whole: left to itself the compiler reads for each instruction the 8 bytes that it takes, and
// finds rows that are 8 apart in the same banks of shared memory.
template <class Tile>
__device__ Fragment load_fragment(const Tile& tile, int first_row, int i, int step) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const Fragment* place = tile.chunk(first_row + lane % 16, 4 * step + lane / 16, 16 * i);
  auto words = *reinterpret_cast<const detail::Packed<unsigned, 4>*>(place);
  asm("" : "+v"(words));
  return __builtin_bit_cast(Fragment, words);
}

template <class T, class Tile>
__device__ Fragment load_fragment(const DecodedOperand<T, Tile>& operand, int first_row, int i,
                                  int step) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const unsigned word =
      operand.tile.element(first_row + 16 * i + lane % 16, 4 * step + lane / 16)->bits;
  Fragment fragment;
#pragma unroll
  for (int j = 0; j < 4; ++j) fragment.word[j] = decode_int4_pair<T>(word >> 8 * j);
  return fragment;
}

// Each instruction's half from 16 neighbours along the depth, as sums of one tile lie: values
// 4 (lane / 16) .. + 3.
template <class Tile>
__device__ Fragment load_paired_fragment(const Tile& tile, int first_row, int i, int step) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  Fragment fragment;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const Chunk* chunk = tile.chunk(first_row + lane % 16, 4 * step + 2 * half + lane / 32, 16 * i);
    const auto words = reinterpret_cast<const detail::Packed<unsigned, 2>*>(chunk)[lane / 16 % 2];
    fragment.word[2 * half] = words.x;
    fragment.word[2 * half + 1] = words.y;
  }
  return fragment;
}

// Rounded to nearest. Of a tie the bf16 that is farther from zero: where no instruction rounds, that
// is an addition, with a third of the cost of ties to even and the same bound of the error.
template <class T>
__device__ Fragment pack(const float (&values)[8]) {
  Fragment fragment;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const float low = values[2 * j], high = values[2 * j + 1];
    if constexpr (std::is_same_v<T, bf16>) {
      constexpr unsigned half = 0x8000, upper_halves = 0x07060302;
      fragment.word[j] =
          __builtin_amdgcn_perm(__builtin_bit_cast(unsigned, high) + half,
                                __builtin_bit_cast(unsigned, low) + half, upper_halves);
    } else {
      const detail::Packed<_Float16, 2> pair = {static_cast<_Float16>(low),
                                                static_cast<_Float16>(high)};
      fragment.word[j] = __builtin_bit_cast(unsigned, pair);
    }
  }
  return fragment;
}

template <class T>
__device__ void multiply(Sum<T> (&d)[4], const Fragment& a, const Fragment& b) {
  using Values = detail::Packed<Sum<T>, 4>;
  Values values = {d[0], d[1], d[2], d[3]};
  values = detail::multiply_half<T>(values, a, b, 0);
  values = detail::multiply_half<T>(values, a, b, 1);
#pragma unroll
  for (int v = 0; v < 4; ++v) d[v] = values[v];
}

template <class Tile, int threads, bool whole_chunks>
using TileCopy = RegisterTileCopy<Tile, threads, whole_chunks>;

// Until every copy that this thread has committed is there for it; a barrier makes it so for all.
__device__ inline void finish_copies() {}

inline constexpr int most_stages = 2;

// The slabs 0 to count - 1 of a product, two of them in shared memory at a time: while one is
// consumed, the next is written there and the one behind it is on its way to registers.
// issue(slab, stage, last) and commit(slab, stage) fill a stage, consume(slab, stage) uses it; stage is
// a constant where they are inlined, and last std::false_type where the slab is not the last one. Ends
// without a barrier.
template <int stages, class Issue, class Commit, class Consume>
__device__ void pipeline(int count, Issue issue, Commit commit, Consume consume) {
  static_assert(stages == 2);
  if (count <= 0) return;
  issue(0, 0, std::true_type());
  commit(0, 0);
  if (count > 1) issue(1, 1, std::true_type());
  // Where two more follow and neither is the last, without a branch, so that the compiler mixes all of it
  // with the products, but for loads from global memory: they must begin before.
  const auto step = [&]<bool last>(int slab, int stage, std::bool_constant<last> may_be_last)
      __attribute__((always_inline)) {
    __syncthreads();  // `slab` is there for all threads, and all are done with the one before
    if (!last || slab + 1 < count) commit(slab + 1, 1 - stage);
    if (!last || slab + 2 < count) issue(slab + 2, stage, may_be_last);
    constexpr int scalar = 0x4, shared_memory = 0x80 | 0x100 | 0x200;
    if constexpr (!last)
      __builtin_amdgcn_sched_barrier(scalar | shared_memory);  // what may cross it
    consume(slab, stage);
  };
  int pair = 0;  // counted so that compilers see which slabs are even
  for (; 2 * pair + 4 < count; ++pair) {
    step(2 * pair, 0, std::false_type());
    step(2 * pair + 1, 1, std::false_type());
  }
  for (; 2 * pair < count; ++pair) {
    step(2 * pair, 0, std::true_type());
    if (2 * pair + 1 < count) step(2 * pair + 1, 1, std::true_type());
  }
}

}  // namespace steelyard::gpu
