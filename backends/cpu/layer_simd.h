// SPDX-License-Identifier: Apache-2.0
// What layers compute with: vectors of f32 (of f64 for f64 tensors) from and to the formats of
// memory, whole or the first lanes of one.
#pragma once

#include "backends/cpu/gemm_simd.h"
#include "backends/cpu/layer_math.h"
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
typedef std::uint8_t Bytes __attribute__((vector_size(vector_bytes / 4)));
using Words = Vector<std::uint32_t>;

// What __builtin_convertvector does, in one instruction where g++ 12 makes several. Masked, here and
// below: it takes what the unmasked intrinsics leave open for a mistake.
inline Words extend(HalfWords narrow) {
#if defined(__AVX512F__)
  return (Words)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)narrow);
#elif defined(__AVX2__)
  return (Words)_mm256_cvtepu16_epi32((__m128i)narrow);
#else
  return __builtin_convertvector(narrow, Words);
#endif
}
inline Words extend(Bytes narrow) {
#if defined(__AVX512F__)
  return (Words)_mm512_maskz_cvtepu8_epi32(0xffff, (__m128i)narrow);
#elif defined(__AVX2__)
  return (Words)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)narrow));
#else
  return __builtin_convertvector(narrow, Words);
#endif
}
inline HalfWords low_halves(Words wide) {
#if defined(__AVX512F__)
  return (HalfWords)_mm512_maskz_cvtepi32_epi16(0xffff, (__m512i)wide);
#else
  return __builtin_convertvector(wide, HalfWords);
#endif
}
inline Bytes low_bytes(Words wide) {
#if defined(__AVX512F__)
  return (Bytes)_mm512_maskz_cvtepi32_epi8(0xffff, (__m512i)wide);
#else
  return __builtin_convertvector(wide, Bytes);
#endif
}

template <>
struct Format<Bf16> {
  using Compute = float;
  using Packed = HalfWords;
  static Vector<float> widen(Packed packed) { return (Vector<float>)(extend(packed) << 16); }
  // To nearest, ties to even; NaN stays NaN.
  static Packed narrow(Vector<float> value) {
#if defined(__AVX512BF16__)
    return (Packed)_mm512_cvtneps_pbh((__m512)value);
#else
    const auto bits = (Words)value;
    const Words rounded = bits + 0x7fff + (bits >> 16 & 1);
    return low_halves((value == value ? rounded : bits | 0x400000) >> 16);
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
    Vector<float> value = {};
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

// Asks for element i of the row that comes next, once per line, to L2: L1 holds the row in use.
template <class T>
void prefetch(const T* row, std::int64_t i) {
  constexpr int to_l2 = 2;
  if (i % static_cast<std::int64_t>(64 / sizeof(T)) == 0) __builtin_prefetch(row + i, 0, to_l2);
}

}  // namespace
}  // namespace steelyard::cpu
