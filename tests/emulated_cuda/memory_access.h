// SPDX-License-Identifier: Apache-2.0
// Loads and stores with hints for the caches, and atomic operations. Threads take turns, so that
// plain accesses are atomic here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "tests/emulated_cuda/block.h"

namespace emulated_cuda {

template <class T>
T* aligned(T* memory) {
  constexpr std::size_t bytes = sizeof(T) < 16 ? sizeof(T) : 16;
  if (reinterpret_cast<std::uintptr_t>(memory) % bytes != 0) fault("a misaligned access");
  return memory;
}

template <class T, class... Allowed>
concept OneOf = (std::is_same_v<T, Allowed> || ...);
template <class T>
concept AtomicInteger = OneOf<T, int, unsigned, unsigned long long>;
template <class T>
concept AtomicNumber = AtomicInteger<T> || OneOf<T, float, double>;

// Stores what `change` makes of the old value, and returns the old one. Atomic operations do not race.
template <class T, class Change>
__attribute__((no_sanitize("thread"))) T exchange(T* memory, Change change) {
  const T old = *aligned(memory);
  *memory = change(old);
  return old;
}

}  // namespace emulated_cuda

#define EMULATED_CUDA_LOAD(name)          \
  template <class T>                      \
  T name(const T* from) {                 \
    return *emulated_cuda::aligned(from); \
  }
EMULATED_CUDA_LOAD(__ldg)
EMULATED_CUDA_LOAD(__ldca)
EMULATED_CUDA_LOAD(__ldcg)
EMULATED_CUDA_LOAD(__ldcs)
EMULATED_CUDA_LOAD(__ldlu)
EMULATED_CUDA_LOAD(__ldcv)
#undef EMULATED_CUDA_LOAD

#define EMULATED_CUDA_STORE(name)                   \
  template <class T>                                \
  void name(T* to, std::type_identity_t<T> value) { \
    *emulated_cuda::aligned(to) = value;            \
  }
EMULATED_CUDA_STORE(__stwb)
EMULATED_CUDA_STORE(__stcg)
EMULATED_CUDA_STORE(__stcs)
EMULATED_CUDA_STORE(__stwt)
#undef EMULATED_CUDA_STORE

template <emulated_cuda::AtomicNumber T>
T atomicAdd(T* to, std::type_identity_t<T> value) {
  return emulated_cuda::exchange(to, [=](T old) { return static_cast<T>(old + value); });
}
template <emulated_cuda::AtomicInteger T>
T atomicMax(T* to, std::type_identity_t<T> value) {
  return emulated_cuda::exchange(to, [=](T old) { return std::max(old, value); });
}
template <emulated_cuda::AtomicInteger T>
T atomicMin(T* to, std::type_identity_t<T> value) {
  return emulated_cuda::exchange(to, [=](T old) { return std::min(old, value); });
}
template <emulated_cuda::AtomicInteger T>
T atomicOr(T* to, std::type_identity_t<T> value) {
  return emulated_cuda::exchange(to, [=](T old) { return old | value; });
}
template <emulated_cuda::AtomicInteger T>
T atomicAnd(T* to, std::type_identity_t<T> value) {
  return emulated_cuda::exchange(to, [=](T old) { return old & value; });
}
template <class T>
requires emulated_cuda::OneOf<T, int, unsigned, unsigned long long, float> T
atomicExch(T* to, std::type_identity_t<T> value) {
  return emulated_cuda::exchange(to, [=](T) { return value; });
}
template <class T>
requires emulated_cuda::OneOf<T, int, unsigned, unsigned long long, unsigned short> T
atomicCAS(T* to, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return emulated_cuda::exchange(to, [=](T old) { return old == expected ? value : old; });
}
// Counts up to the limit, then begins again at 0.
inline unsigned atomicInc(unsigned* to, unsigned limit) {
  return emulated_cuda::exchange(to, [=](unsigned old) { return old >= limit ? 0 : old + 1; });
}
