// SPDX-License-Identifier: Apache-2.0
// Numbers too narrow for the units, fp8 and int4, become bf16, which holds both exactly.
#pragma once

#include "backends/cpu/gemm_simd.h"

namespace steelyard::cpu {
namespace {

// e4m3 as OCP defines it.
struct Fp8 {
  std::uint8_t bits;
};

// Two in a byte, the first in its low half.
struct Int4 {
  std::uint8_t bits;
};

template <class T>
constexpr bool is_coded = std::is_same_v<T, Fp8> || std::is_same_v<T, Int4>;

template <class Code>
constexpr std::int64_t values_per_byte = std::is_same_v<Code, Int4> ? 2 : 1;

// Words of two consecutive bf16: what one vector of them decodes from is `values_at_once` values.
using Words = Vector<std::uint32_t>;
constexpr std::int64_t values_at_once = 2 * lanes<std::uint32_t>;

// As many numbers as a vector has words, each zero-extended to a word.
template <class Narrow>
Words extend(const void* from) {
  typedef Narrow Part __attribute__((vector_size(lanes<std::uint32_t> * sizeof(Narrow))));
  return __builtin_convertvector(load<Part>(from), Words);
}

// Both are exact in bf16: nothing is rounded.
inline Words bf16_pairs(Vector<float> first, Vector<float> second) {
  return (Words)first >> 16 | ((Words)second & 0xffff0000u);
}

// The fp8 in the low byte of each word. Its exponent counts from 7, that of f32 from 127; what is
// below the smallest normal number, 2^-6, has no leading one, which is taken away again.
inline Vector<float> widen_fp8(Words code) {
  constexpr std::uint32_t bias = (127 - 7) << 23, one = 1 << 23, nan = 0x7f << 20;
  const Words magnitude = (code & 0x7f) << 20;
  const auto normal = (Vector<float>)(magnitude + bias);
  const Vector<float> subnormal = (Vector<float>)(magnitude + bias + one) - 0x1p-6f;
  const Vector<float> value = magnitude < one ? subnormal : normal;
  const Words all_ones = (Words)(magnitude == nan) & 0x7f800000u;
  return (Vector<float>)((Words)value | (code & 0x80) << 24 | all_ones);
}

// The next `values_at_once` values from the start of a byte.
inline Words decode_pairs(const Fp8* from) {
  const Words two = extend<std::uint16_t>(from);
  return bf16_pairs(widen_fp8(two & 0xff), widen_fp8(two >> 8));
}

inline Words decode_pairs(const Int4* from) {
  const Words two = extend<std::uint8_t>(from);
#if defined(__AVX512BW__)
  // A permutation looks up the low five bits of each half word: a four-bit code and one bit more.
  typedef std::uint16_t Table __attribute__((vector_size(64)));
  constexpr Table bf16 = {0,      0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0,
                          0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040, 0xc000, 0xbf80,
                          0,      0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0,
                          0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040, 0xc000, 0xbf80};
  return (Words)_mm512_permutexvar_epi16((__m512i)(two | two << 12), (__m512i)bf16);
#else
  const auto code = (Vector<std::int32_t>)two;
  return bf16_pairs(__builtin_convertvector(code << 28 >> 28, Vector<float>),
                    __builtin_convertvector(code << 24 >> 28, Vector<float>));
#endif
}

inline Bf16 decode_value(const Fp8* array, std::int64_t index) {
  return narrow_to_bf16(widen_fp8(Words{array[index].bits})[0]);
}
inline Bf16 decode_value(const Int4* array, std::int64_t index) {
  const int code = array[index / 2].bits >> index % 2 * 4 & 15;
  return narrow_to_bf16(static_cast<float>((code ^ 8) - 8));
}

// Elements first to first + count - 1 of an array. Those that start inside a byte take longer.
template <class Code>
void decode(const Code* array, std::int64_t first, std::int64_t count, Bf16* to) {
  std::int64_t i = 0;
  if (first % values_per_byte<Code> == 0)
    for (; i + values_at_once <= count; i += values_at_once) {
      const Words pairs = decode_pairs(array + (first + i) / values_per_byte<Code>);
      std::memcpy(static_cast<void*>(to + i), &pairs, sizeof pairs);
    }
  for (; i < count; ++i) to[i] = decode_value(array, first + i);
}

}  // namespace
}  // namespace steelyard::cpu
