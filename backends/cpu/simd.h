// SPDX-License-Identifier: Apache-2.0
// Vectors of the instruction set a file is compiled for. Internal linkage throughout: a function of
// one instruction set must not stand in for another's.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "backends/cpu/store.h"

namespace steelyard::cpu {
namespace {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(vector_bytes)));
};
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
constexpr int lanes = vector_bytes / static_cast<int>(sizeof(T));

template <class T>
T load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// A vector or a part of one; past the caches only to a multiple of its size.
template <Store how, class V>
void store(void* to, V value) {
  if constexpr (how == Store::temporal)
    std::memcpy(to, &value, sizeof value);
  else if constexpr (sizeof value == 64)
    _mm512_stream_si512(static_cast<__m512i*>(to), (__m512i)value);
  else if constexpr (sizeof value == 32)
    _mm256_stream_si256(static_cast<__m256i*>(to), (__m256i)value);
  else if constexpr (sizeof value == 16)
    _mm_stream_si128(static_cast<__m128i*>(to), (__m128i)value);
  else if constexpr (sizeof value == 8)
    _mm_stream_si64(static_cast<long long*>(to), (long long)value);
  else
    _mm_stream_si32(static_cast<int*>(to), (int)value);
}

}  // namespace
}  // namespace steelyard::cpu
