// SPDX-License-Identifier: Apache-2.0
// What attention needs beside GEMM's products: exp2 of vectors, P in units of a product.
#pragma once

#include <numbers>

#include "backends/cpu/gemm_simd.h"

namespace steelyard::cpu {
namespace {

inline Vector<float> max(Vector<float> a, Vector<float> b) {
  return a > b ? a : b;
}

// Where a maximum starts: finite, so that the difference of two of them is a number.
constexpr float lowest_maximum = -1e30f;

// 2^x for x <= 1, 0 below 2^-126. x = n + f with whole n and |f| <= 1/2; 2^f by its Taylor series,
// whose remainder (f ln 2)^8 / 8! is 6e-9 of the result: what counts are the roundings of the last
// steps, less than 2 ulp.
inline Vector<float> exp2_of(Vector<float> x) {
  using Bits = Vector<std::uint32_t>;
  constexpr float round = 1.5f * (1 << 23);  // a sum with it has no fraction bits, n in its lowest
  const Vector<float> shifted = x + round, f = x - (shifted - round);
  constexpr double ln2 = std::numbers::ln2;
  constexpr double c2 = ln2 * ln2 / 2, c3 = c2 * ln2 / 3, c4 = c3 * ln2 / 4, c5 = c4 * ln2 / 5,
                   c6 = c5 * ln2 / 6, c7 = c6 * ln2 / 7;
  constexpr auto c = [](double value) { return static_cast<float>(value); };
  Vector<float> power = f * c(c7) + c(c6);
  power = power * f + c(c5);
  power = power * f + c(c4);
  power = power * f + c(c3);
  power = power * f + c(c2);
  power = power * f + c(ln2);
  power = power * f + 1.0f;
  const Bits scaled = (Bits)power + ((Bits)shifted << 23);
  return (Vector<float>)(scaled & (Bits)(x > -126.0f));
}

// To nearest, ties to even; the value is no NaN.
inline Vector<std::uint32_t> round_to_bf16(Vector<float> value) {
  const auto bits = (Vector<std::uint32_t>)value;
  return bits + 0x7fff + (bits >> 16 & 1);
}

// Vectors of `depth` consecutive keys as units of a product.
inline void store_units(const Vector<float> (&p)[1], float* to) {
  std::memcpy(to, p, sizeof p);
}
inline void store_units(const Vector<float> (&p)[2], Bf16* to) {
  const Vector<std::uint32_t> pair =
      round_to_bf16(p[0]) >> 16 | (round_to_bf16(p[1]) & 0xffff0000u);
  std::memcpy(to, &pair, sizeof pair);
}

// One vector as elements side by side.
inline void store_values(Vector<float> values, float* to) {
  std::memcpy(to, &values, sizeof values);
}
inline void store_values(Vector<float> values, Bf16* to) {
  typedef std::uint16_t Halves __attribute__((vector_size(vector_bytes / 2)));
  const Halves upper = __builtin_convertvector(round_to_bf16(values) >> 16, Halves);
  std::memcpy(to, &upper, sizeof upper);
}

}  // namespace
}  // namespace steelyard::cpu
