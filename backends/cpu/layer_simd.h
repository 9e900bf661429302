// SPDX-License-Identifier: Apache-2.0
// What layers compute with: vectors of f32 (of f64 for f64 tensors) from and to the formats of
// memory, whole or the first lanes of one, and the exponential of softmax and of the logistic
// function.
#pragma once

#include "backends/cpu/gemm_simd.h"
#include "backends/cpu/layer_rows.h"

namespace steelyard::cpu {
namespace {

// ---- formats

using Half = _Float16;

// Memory holds f32 and f64 as they are computed with.
template <class T>
struct Format {
  using Compute = T;
  using Packed = Vector<T>;
  static Vector<T> widen(Packed packed) { return packed; }
  static Packed narrow(Vector<T> value) { return value; }
};

typedef std::uint16_t HalfWords __attribute__((vector_size(vector_bytes / 2)));

// Masked, here and below: g++ 12 takes what the unmasked intrinsics leave open for a mistake.
inline Vector<std::uint32_t> extend(HalfWords words) {
#if defined(__AVX512F__)
  return (Vector<std::uint32_t>)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)words);
#elif defined(__AVX2__)
  return (Vector<std::uint32_t>)_mm256_cvtepu16_epi32((__m128i)words);
#else
  return __builtin_convertvector(words, Vector<std::uint32_t>);
#endif
}

template <>
struct Format<Bf16> {
  using Compute = float;
  using Packed = HalfWords;
  using Words = Vector<std::uint32_t>;
  static Vector<float> widen(Packed packed) { return (Vector<float>)(extend(packed) << 16); }
  // To nearest, ties to even; NaN stays NaN.
  static Packed narrow(Vector<float> value) {
#if defined(__AVX512BF16__)
    return (Packed)_mm512_cvtneps_pbh((__m512)value);
#else
    const auto bits = (Words)value;
    const Words rounded = bits + 0x7fff + (bits >> 16 & 1);
    return __builtin_convertvector((value == value ? rounded : bits | 0x400000) >> 16, Packed);
#endif
  }
};

template <>
struct Format<Half> {
  using Compute = float;
  using Packed = HalfWords;
#if defined(__AVX512F__)
  static Vector<float> widen(Packed packed) {
    return (Vector<float>)_mm512_maskz_cvtph_ps(0xffff, (__m256i)packed);
  }
  static Packed narrow(Vector<float> value) {
    return (Packed)_mm512_maskz_cvtps_ph(0xffff, (__m512)value,
                                         _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
#elif defined(__F16C__)
  static Vector<float> widen(Packed packed) {
    return (Vector<float>)_mm256_cvtph_ps((__m128i)packed);
  }
  static Packed narrow(Vector<float> value) {
    return (Packed)_mm256_cvtps_ph((__m256)value, _MM_FROUND_TO_NEAREST_INT);
  }
#else
  static Vector<float> widen(Packed packed) {
    Half halves[lanes<float>];
    std::memcpy(halves, &packed, sizeof packed);
    Vector<float> value;
    for (int i = 0; i < lanes<float>; ++i) value[i] = static_cast<float>(halves[i]);
    return value;
  }
  static Packed narrow(Vector<float> value) {
    Half halves[lanes<float>];
    for (int i = 0; i < lanes<float>; ++i) halves[i] = static_cast<Half>(value[i]);
    return load<Packed>(halves);
  }
#endif
};

template <class T>
using Compute = typename Format<T>::Compute;
template <class T>
using Values = Vector<Compute<T>>;
template <class T>
constexpr int width = lanes<Compute<T>>;  // elements of a step

// choose<T, how>() for the C++ type of f64, f32, bf16 or f16; null for others.
template <class F>
LayerFunction* with_type(DType type, Store how, F choose) {
  const auto with_store = [&]<class T>() -> LayerFunction* {
    return how == Store::temporal ? choose.template operator()<T, Store::temporal>()
                                  : choose.template operator()<T, Store::nontemporal>();
  };
  if (type == DType::f64) return with_store.template operator()<double>();
  if (type == DType::f32) return with_store.template operator()<float>();
  if (type == DType::bf16) return with_store.template operator()<Bf16>();
  if (type == DType::f16) return with_store.template operator()<Half>();
  return nullptr;
}

// ---- whole vectors, and the first lanes of one

struct Whole {};
struct Part {
  int count;
};

template <class T>
Values<T> get(const T* from, Whole) {
  return Format<T>::widen(load<typename Format<T>::Packed>(from));
}
// Zero in the other lanes.
template <class T>
Values<T> get(const T* from, Part part) {
  typename Format<T>::Packed packed = {};
  std::memcpy(&packed, from, part.count * sizeof(T));
  return Format<T>::widen(packed);
}

template <Store how = Store::temporal, class T>
void put(T* to, Values<T> value, Whole) {
  store<how>(to, Format<T>::narrow(value));
}
template <Store how = Store::temporal, class T>
void put(T* to, Values<T> value, Part part) {
  const auto packed = Format<T>::narrow(value);
  std::memcpy(static_cast<void*>(to), &packed, part.count * sizeof(T));
}

// `other` in the lanes that are no part.
template <class C>
Vector<C> part_or(Vector<C> value, C, Whole) {
  return value;
}
template <class C>
Vector<C> part_or(Vector<C> value, C other, Part part) {
  for (int i = part.count; i < lanes<C>; ++i) value[i] = other;
  return value;
}

// f(first element, Whole or Part) for every step of `count` elements of T.
template <class T, class F>
void for_each_step(std::int64_t count, F f) {
  std::int64_t i = 0;
  for (; i + width<T> <= count; i += width<T>) f(i, Whole{});
  if (i < count) f(i, Part{static_cast<int>(count - i)});
}

// ---- arithmetic

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

// e^x for x <= 0, 0 below the normal numbers: x = n ln 2 + f with whole n and |f| <= ln(2) / 2, e^f
// by its Taylor series, whose remainder is 6e-9 of the result in f32 and 5e-18 in f64. ln 2 is
// subtracted in two parts, of which n times the first has no rounding error.
template <class C>
Vector<C> exp_of(Vector<C> x) {
  constexpr bool single = sizeof(C) == 4;
  constexpr int degree = single ? 7 : 13, mantissa = single ? 23 : 52;
  constexpr auto lowest = static_cast<C>(single ? -87.33 : -708.39);
  constexpr auto log2e = static_cast<C>(1.442695040888963407);
  constexpr auto ln2_high = static_cast<C>(single ? 0x1.63p-1 : 0x1.62e42feep-1);
  constexpr auto ln2_low = static_cast<C>(single ? -2.1219444005469058e-4 : 1.9082149292705877e-10);
  constexpr auto round = round_to_whole<C>;

  const Vector<C> shifted = x * log2e + round, n = shifted - round;
  const Vector<C> f = (x - n * ln2_high) - n * ln2_low;
  constexpr auto reciprocal_factorial = [](int k) {
    double factorial = 1;
    for (int i = 2; i <= k; ++i) factorial *= i;
    return static_cast<C>(1 / factorial);
  };
  Vector<C> power = f * reciprocal_factorial(degree) + reciprocal_factorial(degree - 1);
#pragma GCC unroll 16
  for (int k = degree - 2; k >= 0; --k) power = power * f + reciprocal_factorial(k);
  const Bits<C> scaled = (Bits<C>)power + ((Bits<C>)shifted << mantissa);
  return (Vector<C>)(scaled & (Bits<C>)(x > lowest));
}

// 1 / (1 + e^-z), and its complement to 1 without cancellation.
template <class C>
struct Logistic {
  Vector<C> value, complement;
};

template <class C>
Logistic<C> logistic(Vector<C> z) {
  const Vector<C> e = exp_of<C>(-absolute<C>(z)), larger = 1 / (1 + e), smaller = e * larger;
  return {z < 0 ? smaller : larger, z < 0 ? larger : smaller};
}

}  // namespace
}  // namespace steelyard::cpu
