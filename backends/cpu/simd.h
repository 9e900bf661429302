// SPDX-License-Identifier: Apache-2.0
// Vectors of the instruction set a file is compiled for. Internal linkage throughout: a function of
// one instruction set must not stand in for another's.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

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

}  // namespace
}  // namespace steelyard::cpu
