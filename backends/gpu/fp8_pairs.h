// SPDX-License-Identifier: Apache-2.0
// fp8 as a factor of products of 16-bit numbers, which hold it exactly. Two neighbours in memory are copied,
// transposed and read by lanes as one number of 16 bits; in registers a lane splits a fragment of such
// pairs into a fragment of their first values and one of their second.
#pragma once

#include "backends/gpu/number.h"
#include "backends/gpu/operand_tile.h"

namespace steelyard::gpu {

// Two fp8_e4m3 side by side, the first in the low byte.
struct fp8x2 {
  std::uint16_t codes;
};
template <>
inline constexpr int values_of<fp8x2> = 2;

// Where the i-th value goes when pairs are split: `group` first ones, then the second ones beside them.
template <int group>
__device__ constexpr int place_when_split(int i) {
  return i / (2 * group) * (2 * group) + i % 2 * group + i % (2 * group) / 2;
}

// Two codes of OCP, in the upper bytes of the halves of a word, as two T, without an instruction for it.
// Moved to the places they have in an f16, the bits of a value are that value / 256. All bits of its
// magnitude are set in a NaN: adding one carries into the sign.
template <class T>
__device__ unsigned widen_upper_bytes(unsigned codes) {
  constexpr unsigned signs = 0x80008000u, scale = 0x5c005c00u;  // 256
  const unsigned nan = ((codes & ~signs) + 0x01000100u) & signs;
  const unsigned halves =
      multiply_f16_pairs((codes >> 1 & 0x3f803f80u) | (codes & signs), scale) | (nan - (nan >> 6));
  if constexpr (std::is_same_v<T, f16>) return halves;
  return pack_exact<T>(from_f16_bits(static_cast<std::uint16_t>(halves)),
                       from_f16_bits(static_cast<std::uint16_t>(halves >> 16)));
}

// The first and the second values of two pairs, as two words of two T each.
template <class T>
__device__ void split_pairs(unsigned pairs, unsigned& first, unsigned& second) {
  if constexpr (!has_fp8_conversion) {
    first = widen_upper_bytes<T>(pairs << 8 & 0xff00ff00u);
    second = widen_upper_bytes<T>(pairs & 0xff00ff00u);
    return;
  }
  const FloatPair low = from_e4m3_codes(static_cast<std::uint16_t>(pairs));
  const FloatPair high = from_e4m3_codes(static_cast<std::uint16_t>(pairs >> 16));
  first = pack_exact<T>(low.first, high.first);
  second = pack_exact<T>(low.second, high.second);
}

}  // namespace steelyard::gpu
