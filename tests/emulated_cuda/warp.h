// SPDX-License-Identifier: Apache-2.0
// Barriers, and what the lanes of a warp do together.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/emulated_cuda/block.h"

namespace emulated_cuda {

template <class T>
struct Shuffle {
  T value;
  int source;  // a lane; outside `mask` its value is undefined
};

// Every lane's value becomes that of its source.
template <class T>
void shuffle_lanes(const Operands& operands) {
  T values[lanes_per_warp];
  std::memset(static_cast<void*>(values), 0xff, sizeof values);  // poison
  for (unsigned lane = 0; lane < lanes_per_warp; ++lane)
    if (operands[lane]) values[lane] = static_cast<Shuffle<T>*>(operands[lane])->value;
  for (void* operand : operands)
    if (auto* const shuffle = static_cast<Shuffle<T>*>(operand))
      shuffle->value = values[shuffle->source];
}

template <class T>
T shuffle(const char* name, unsigned mask, T value, int source, std::source_location at) {
  static_assert(std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8),
                "a shuffle moves 4 or 8 bytes");
  Shuffle<T> mine = {value, source};
  meet({name, at, mask, shuffle_lanes<T>, &mine});
  return mine.value;
}

inline int lane() {
  return static_cast<int>(here->rank % lanes_per_warp);
}
inline int first_lane(int width) {  // of the segment of this lane
  return lane() & ~(width - 1);
}
// A source outside the segment leaves a lane its own value.
inline int inside(int source, int width) {
  return source >= first_lane(width) && source < first_lane(width) + width ? source : lane();
}

// Replaces every lane's T by what combine makes of all of them.
template <class T, auto combine>
void reduce_lanes(const Operands& operands) {
  const T* total = nullptr;
  T result{};
  for (const void* operand : operands)
    if (const auto* value = static_cast<const T*>(operand)) {
      result = total ? combine(result, *value) : *value;
      total = &result;
    }
  for (void* operand : operands)
    if (operand) *static_cast<T*>(operand) = result;
}

template <auto combine, class T>
T reduce(const char* name, unsigned mask, T value, std::source_location at) {
  meet({name, at, mask, reduce_lanes<T, combine>, &value});
  return value;
}

}  // namespace emulated_cuda

#define EMULATED_CUDA_PLACE std::source_location at = std::source_location::current()

inline void __syncthreads(EMULATED_CUDA_PLACE) {
  emulated_cuda::meet({"__syncthreads", at});
}
inline void __syncwarp(unsigned mask = 0xffffffff, EMULATED_CUDA_PLACE) {
  emulated_cuda::meet({.name = "__syncwarp", .at = at, .mask = mask, .orders_memory = true});
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, EMULATED_CUDA_PLACE) {
  const int from = emulated_cuda::first_lane(width) + (source & (width - 1));
  return emulated_cuda::shuffle("__shfl_sync", mask, value, from, at);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATED_CUDA_PLACE) {
  const int from = emulated_cuda::inside(emulated_cuda::lane() - static_cast<int>(delta), width);
  return emulated_cuda::shuffle("__shfl_up_sync", mask, value, from, at);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATED_CUDA_PLACE) {
  const int from = emulated_cuda::inside(emulated_cuda::lane() + static_cast<int>(delta), width);
  return emulated_cuda::shuffle("__shfl_down_sync", mask, value, from, at);
}
// Lanes of earlier segments can be read, those of later ones cannot.
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, EMULATED_CUDA_PLACE) {
  const int other = emulated_cuda::lane() ^ lane_mask;
  const int end = emulated_cuda::first_lane(width) + width;
  return emulated_cuda::shuffle("__shfl_xor_sync", mask, value,
                                other < end ? other : emulated_cuda::lane(), at);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATED_CUDA_PLACE) {
  constexpr auto either = [](unsigned a, unsigned b) { return a | b; };
  const unsigned mine = predicate ? 1u << emulated_cuda::lane() : 0;
  return emulated_cuda::reduce<either>("__ballot_sync", mask, mine, at);
}
inline int __any_sync(unsigned mask, int predicate, EMULATED_CUDA_PLACE) {
  constexpr auto either = [](int a, int b) { return a | b; };
  return emulated_cuda::reduce<either>("__any_sync", mask, predicate != 0 ? 1 : 0, at);
}
inline int __all_sync(unsigned mask, int predicate, EMULATED_CUDA_PLACE) {
  constexpr auto both = [](int a, int b) { return a & b; };
  return emulated_cuda::reduce<both>("__all_sync", mask, predicate != 0 ? 1 : 0, at);
}
// Lanes run one after the other here: those that have not ended count as active.
inline unsigned __activemask() {
  return emulated_cuda::living_lanes();
}

inline void __nanosleep(unsigned) {
  emulated_cuda::yield();
}
inline void __threadfence_block() {}
inline void __threadfence() {}
inline void __threadfence_system() {}
[[noreturn]] inline void __trap() {
  emulated_cuda::fault("__trap");
}
#undef EMULATED_CUDA_PLACE
