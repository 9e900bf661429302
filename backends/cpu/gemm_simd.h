// SPDX-License-Identifier: Apache-2.0
// The products that GEMM sums, for the instruction set a file is compiled for.
#pragma once

#include <type_traits>

#include "backends/cpu/simd.h"

namespace steelyard::cpu {
namespace {

#if defined(__AVX512F__)
constexpr int panel_rows = 12;  // 24 accumulators, 2 of B and 1 of A: 27 of 32 registers
#else
constexpr int panel_rows = 6;  // 12 + 2 + 1 of 16 registers
#endif

// Rounding modes aside, bf16 is the upper half of an f32.
struct Bf16 {
  std::uint16_t bits;
};

inline float widen(Bf16 value) {
  const std::uint32_t bits = std::uint32_t{value.bits} << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// To nearest, ties to even; NaN stays NaN.
inline Bf16 narrow_to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (value != value) return {static_cast<std::uint16_t>(bits >> 16 | 0x40)};
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<To, From>)
    return value;
  else if constexpr (std::is_same_v<From, Bf16>)
    return widen(value);
  else if constexpr (std::is_same_v<To, Bf16>)
    return narrow_to_bf16(value);
  else
    return static_cast<To>(value);
}

// alpha and beta of an integer product need not be whole; every other sum is finished as it is, or
// in f32 where an integer is scaled.
template <class Sum, class Output>
using FactorOf = std::conditional_t<std::is_same_v<Output, std::int32_t>, double,
                                    std::conditional_t<std::is_same_v<Sum, double>, Sum, float>>;

// alpha * sum + beta * before, rounded once; what C held before does not count with beta = 0.
template <class Factor, class Output>
Output finish(Factor sum, Output before, Factor alpha, Factor beta) {
  return static_cast<Output>(beta == 0 ? alpha * sum : alpha * sum + beta * before);
}
inline Bf16 finish(float sum, Bf16 before, float alpha, float beta) {
  return narrow_to_bf16(beta == 0 ? alpha * sum : alpha * sum + beta * widen(before));
}
inline std::int32_t finish(double sum, std::int32_t before, double alpha, double beta) {
  const double value = beta == 0 ? alpha * sum : alpha * sum + beta * before;
  const double least = INT32_MIN, largest = INT32_MAX;
  return static_cast<std::int32_t>(__builtin_nearbyint(value < least     ? least
                                                       : value > largest ? largest
                                                                         : value));
}

// A product names the packed element, how many consecutive k of it one lane of the accumulator sums
// in one step (`depth`), and that step: sum += a * b, with the `depth` elements of A in every lane.
template <class T>
struct MultiplyAdd {
  using Element = T;
  using Sum = T;
  using Unit = T;  // `depth` elements
  static constexpr int depth = 1;
  static Vector<T> step(Vector<T> sum, T a, Vector<T> b) { return sum + a * b; }
};

// Sums of the products of two consecutive int16, lane by lane.
inline Vector<std::int32_t> add_dot_int16(Vector<std::int32_t> sum, Vector<std::int32_t> a,
                                          Vector<std::int32_t> b) {
  using Sums = Vector<std::int32_t>;
#if defined(__AVX512VNNI__)
  return (Sums)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVX512BW__)
  return sum + (Sums)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return sum + (Sums)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
  return sum + (Sums)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
}

struct DotInt16 {
  using Element = std::int16_t;
  using Sum = std::int32_t;
  using Unit = std::int32_t;
  static constexpr int depth = 2;
  static Vector<Sum> step(Vector<Sum> sum, Unit a, Vector<Sum> b) {
    return add_dot_int16(sum, a + Vector<Sum>{}, b);
  }
};

#if defined(__AVX512BF16__)
struct DotBf16 {
  using Element = Bf16;
  using Sum = float;
  using Unit = std::int32_t;
  static constexpr int depth = 2;
  static Vector<Sum> step(Vector<Sum> sum, Unit a, Vector<std::int32_t> b) {
    return (Vector<Sum>)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(a), (__m512bh)b);
  }
};
using Bf16Product = DotBf16;
#else
using Bf16Product = MultiplyAdd<float>;  // widened when packed
#endif

}  // namespace
}  // namespace steelyard::cpu
