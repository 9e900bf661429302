// SPDX-License-Identifier: Apache-2.0
// What layers compute beside sums and products: totals of a vector's lanes, the exponential of softmax
// and the logistic function of activations, in f32 and f64.
#pragma once

#include "backends/cpu/simd.h"

namespace steelyard::cpu {
namespace {

// From the outside in, so that errors grow with the logarithm.
template <class C>
C total(Vector<C> value) {
  C sums[lanes<C>];
  std::memcpy(sums, &value, sizeof value);
  for (int half = lanes<C> / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

template <class C>
C largest(Vector<C> value) {
  C result = value[0];
  for (int i = 1; i < lanes<C>; ++i) result = value[i] > result ? value[i] : result;
  return result;
}

template <class C>
struct BitsOf {
  using type = Vector<std::uint32_t>;
};
template <>
struct BitsOf<double> {
  using type = Vector<std::uint64_t>;
};
template <class C>
using Bits = typename BitsOf<C>::type;

template <class C>
Vector<C> absolute(Vector<C> x) {
  return (Vector<C>)((Bits<C>)x << 1 >> 1);
}

// A sum with it has no fraction bits, and the nearest whole number in its lowest.
template <class C>
constexpr C round_to_whole = static_cast<C>(sizeof(C) == 4 ? 0x1.8p23 : 0x1.8p52);

// The larger one; b where they cannot be compared.
template <class C>
Vector<C> larger(Vector<C> a, Vector<C> b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(C) == 4) return (Vector<C>)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);
#elif defined(__AVX2__)
  if constexpr (sizeof(C) == 4) return (Vector<C>)_mm256_max_ps((__m256)a, (__m256)b);
#endif
  return a > b ? a : b;
}

// What e^x takes in f32 and f64: ln 2 in two parts, n times the first of which is exact, and e^f for
// |f| <= ln(2) / 2.
template <class C>
struct Exponential;

template <>
struct Exponential<float> {
  static constexpr int mantissa = 23;
  static constexpr float certain_zero = -104, lowest_normal = -87.33f;
#if defined(__FMA__)  // every product is exact; the nearest f32 is off by 2e-9 only
  static constexpr float ln2_high = 0x1.62e43p-1f, ln2_low = 0;
#else
  static constexpr float ln2_high = 0x1.63p-1f, ln2_low = -2.12194440e-4f;
#endif
  // Of degree 6 with the smallest largest error, 3e-9 of the result; in pairs, for short chains.
  static Vector<float> power(Vector<float> f) {
    const Vector<float> square = f * f, low = f + 1, middle = f * 0.16666364f + 0.50000004f;
    const Vector<float> high = square * 0.0014061604f + (f * 0.0083791069f + 0.041664769f);
    return (high * square + middle) * square + low;
  }
};

template <>
struct Exponential<double> {
  static constexpr int mantissa = 52;
  static constexpr double certain_zero = -750, lowest_normal = -708.39;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 1.9082149292705877e-10;
  // Taylor's of degree 13: 5e-18 of the result.
  static Vector<double> power(Vector<double> f) {
    Vector<double> sum = Vector<double>{} + 1;
#pragma GCC unroll 16
    for (int k = 13; k > 0; --k) sum = sum * f * (1. / k) + 1;
    return sum;
  }
};

// e^x for x <= 88, 0 where it is no normal number: x = n ln 2 + f with whole n and |f| <= ln(2) / 2.
template <class C>
Vector<C> exp_of(Vector<C> x) {
  using E = Exponential<C>;
  constexpr auto log2e = static_cast<C>(1.442695040888963407);
  x = larger<C>(Vector<C>{} + E::certain_zero, x);
  const Vector<C> shifted = x * log2e + round_to_whole<C>, n = shifted - round_to_whole<C>;
  Vector<C> f = x - n * E::ln2_high;
  if constexpr (E::ln2_low != 0) f -= n * E::ln2_low;
  const Vector<C> power = E::power(f);
#if defined(__AVX512F__)
  if constexpr (sizeof(C) == 4)
    return (Vector<C>)_mm512_maskz_scalef_ps(0xffff, (__m512)power, (__m512)n);
#endif
  const Bits<C> scaled = (Bits<C>)power + ((Bits<C>)shifted << E::mantissa);
  return (Vector<C>)(scaled & ~(Bits<C>)(x <= E::lowest_normal));  // NaN stays
}

// 1 / x for 1 <= x.
template <class C>
Vector<C> reciprocal(Vector<C> x) {
#if defined(__AVX512F__)  // 14 bits, and a step of Newton's: less than half of a division's time
  if constexpr (sizeof(C) == 4) {
    const auto near = (Vector<C>)_mm512_maskz_rcp14_ps(0xffff, (__m512)x);
    return near + near * (1 - x * near);
  }
#endif
  return 1 / x;
}

// 1 / (1 + e^-z), the value at -88 (f64: -708) for all z below, and its complement to 1 without
// cancellation.
template <class C>
struct Logistic {
  Vector<C> value, complement;
};

template <class C>
Logistic<C> logistic(Vector<C> z) {
  constexpr auto lowest = static_cast<C>(sizeof(C) == 4 ? -88 : -708);  // e^88 is finite
  const Vector<C> e = exp_of<C>(-larger<C>(Vector<C>{} + lowest, z)), value = reciprocal<C>(1 + e);
  return {value, e * value};
}

}  // namespace
}  // namespace steelyard::cpu
