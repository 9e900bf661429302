// SPDX-License-Identifier: Apache-2.0
// int4 weights as a factor of 16-bit numbers, which hold them exactly. They stay packed in shared memory;
// a lowering's load_fragment decodes what a lane needs.
#pragma once

#include "backends/gpu/copy_tile.h"
#include "backends/gpu/number.h"

namespace steelyard::gpu {

// Eight values side by side along the depth, the first in the low bits.
struct int4x8 {
  std::uint32_t bits;
};

template <>
inline constexpr int values_of<int4x8> = 8;

// Weights [rows, depth] in either order, read value by value.
template <Order order>
struct ScatteredInt4 {
  using Value = int4x8;

  const std::uint8_t* data;    // two values to a byte
  std::int64_t first, stride;  // in values: where they begin, and from one line to the next
  int rows, depth;

  __device__ unsigned value(int row, int d) const {
    const std::int64_t at =
        order == Order::depth_contiguous ? first + row * stride + d : first + d * stride + row;
    return data[at / 2] >> at % 2 * 4 & 15u;
  }
};

template <Order order>
struct Remainder<ScatteredInt4<order>> {
  using Source = ScatteredInt4<order>;
  Source from;
  int row, word;

  __device__ Remainder(const Source& from_, int row_, int word_)
      : from(from_), row(row_), word(word_) {}

  __device__ int4x8 element(int further_rows, int further_words) const {
    const int r = row + further_rows, depth = 8 * (word + further_words);
    int4x8 eight = {};
    // Without branches: what is outside reads the last value. Unrolled it spills.
#pragma unroll 1
    for (int e = 0; e < 8; ++e) {
      const unsigned value = from.value(min(r, from.rows - 1), min(depth + e, from.depth - 1));
      eight.bits |= (r < from.rows && depth + e < from.depth ? value : 0) << 4 * e;
    }
    return eight;
  }
};

// A tile of words as a factor [rows, depth] of T.
template <class T, class Tile>
struct DecodedOperand {
  using Value = T;
  static constexpr int rows = Tile::rows, depth = values_of<typename Tile::Value> * Tile::depth;
  static constexpr Order stored = Tile::stored;

  Tile tile;
};

// The two values in the low byte of `bits` as two T.
template <class T>
__device__ unsigned decode_int4_pair(unsigned bits) {
  // 128 + (v + 8) as f32 has v + 8, an unsigned nibble, behind the first 3 bits of its fraction.
  const auto value = [](unsigned nibble) {
    return __uint_as_float(0x43000000u | (nibble ^ 8u) << 16) - 136.f;
  };
  return pack_exact<T>(value(bits & 15u), value(bits >> 4 & 15u));
}

}  // namespace steelyard::gpu
