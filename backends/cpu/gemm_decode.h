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

// Words of two consecutive bf16: a vector of them holds `values_at_once` values.
using Words = Vector<std::uint32_t>;
constexpr std::int64_t values_at_once = 2 * lanes<std::uint32_t>;

// ---- narrow integers as wide ones: g++ 12 converts vectors of bytes one by one

// A mask that hides nothing: without one, g++ 12 calls the intrinsics' own result uninitialised.
[[maybe_unused]] constexpr int every = -1;

inline Words words_of_bytes(const void* from) {
#if defined(__AVX512F__)
  return (Words)_mm512_maskz_cvtepu8_epi32(every, load<__m128i>(from));
#elif defined(__AVX2__)
  return (Words)_mm256_cvtepu8_epi32(_mm_loadu_si64(from));
#else
  const __m128i halves = _mm_unpacklo_epi8(_mm_loadu_si32(from), __m128i{});
  return (Words)_mm_unpacklo_epi16(halves, __m128i{});
#endif
}

inline Vector<std::int16_t> halves_of_signed_bytes(const void* from) {
#if defined(__AVX512BW__)
  return (Vector<std::int16_t>)_mm512_maskz_cvtepi8_epi16(every, load<__m256i>(from));
#elif defined(__AVX2__)
  return (Vector<std::int16_t>)_mm256_cvtepi8_epi16(load<__m128i>(from));
#else
  const __m128i bytes = _mm_loadu_si64(from);
  return (Vector<std::int16_t>)_mm_unpacklo_epi8(bytes, bytes) >> 8;
#endif
}

// ---- codes as words of bf16: the next `values_at_once` from the start of a byte

#if defined(__AVX512BW__)
using Halves = Vector<std::uint16_t>;

// Of 32 numbers the one that the low five bits of each half word name.
inline Halves look_up(Halves table, Halves index) {
  return (Halves)_mm512_permutexvar_epi16((__m512i)index, (__m512i)table);
}

// Below e4m3's smallest normal number, 2^-6, lie the multiples of 2^-9; above, its exponent counts
// from 7, that of bf16 from 127.
inline Words decode_pairs(const Fp8* from) {
  constexpr Halves multiples = {0, 0x3b00, 0x3b80, 0x3bc0, 0x3c00, 0x3c20, 0x3c40, 0x3c60};
  constexpr std::uint16_t bias = (127 - 7) << 7, one = 1 << 7, nan = 0x7f << 4;
  const auto code = (Halves)_mm512_maskz_cvtepu8_epi16(every, load<__m256i>(from));
  const Halves magnitude = (code & 0x7f) << 4;
  const Halves value = magnitude < one ? look_up(multiples, code) : magnitude + bias;
  const Halves all_ones = (Halves)(magnitude == nan) & 0x7f80;
  return (Words)(value | (code & 0x80) << 8 | all_ones);
}

// The table stands there twice: the fifth bit is of the next code.
inline Words decode_pairs(const Int4* from) {
  constexpr Halves bf16 = {0,      0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0,
                           0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040, 0xc000, 0xbf80,
                           0,      0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0,
                           0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040, 0xc000, 0xbf80};
  const Words two = words_of_bytes(from);
  return (Words)look_up(bf16, (Halves)(two | two << 12));
}

#else
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

inline Words decode_pairs(const Fp8* from) {
#if defined(__AVX2__)
  const auto two = (Words)_mm256_cvtepu16_epi32(load<__m128i>(from));
#else
  const auto two = (Words)_mm_unpacklo_epi16(_mm_loadu_si64(from), __m128i{});
#endif
  return bf16_pairs(widen_fp8(two & 0xff), widen_fp8(two >> 8));
}

inline Words decode_pairs(const Int4* from) {
  const auto two = (Vector<std::int32_t>)words_of_bytes(from);
  return bf16_pairs(__builtin_convertvector(two << 28 >> 28, Vector<float>),
                    __builtin_convertvector(two << 24 >> 28, Vector<float>));
}
#endif

// ---- arrays

template <class Code>
Bf16 decode_value(const Code* array, std::int64_t index) {
  constexpr std::int64_t in_byte = values_per_byte<Code>;
  const Code code[values_at_once / in_byte] = {array[index / in_byte]};
  return {static_cast<std::uint16_t>(decode_pairs(code)[0] >> index % in_byte * 16)};
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
