// SPDX-License-Identifier: Apache-2.0
// The threads that work on one row of a tensor, and what they make of their values together.
#pragma once

#include <cstdint>

#include "backends/gpu/gpu.h"

namespace steelyard::gpu {

inline constexpr int most_threads = 1024;  // of a block
inline constexpr int held_elements = 16;   // of a row, that a thread keeps in registers

struct Add {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Larger {
  __device__ float operator()(float a, float b) const { return a < b ? b : a; }
};

// The combination of the values of all lanes, in all of them.
template <class T, class Combine>
__device__ T warp_reduce(T value, Combine combine) {
#pragma unroll
  for (int mask = warp_size / 2; mask > 0; mask /= 2)
    value = combine(value, shuffle_xor(value, mask));
  return value;
}

// A warp, or the whole block. The teams of a grid take rows in turn.
struct Team {
  int size, rank;              // threads, and the number of this one among them
  std::int64_t number, count;  // of this team among the teams of the grid

  __device__ explicit Team(int threads)
      : size(threads),
        rank(static_cast<int>(threadIdx.x) % threads),
        number(static_cast<std::int64_t>(blockIdx.x) * (blockDim.x / threads) +
               threadIdx.x / threads),
        count(static_cast<std::int64_t>(gridDim.x) * (blockDim.x / threads)) {}

  // Every thread receives the same bits: each adds the warps' values up in the same order.
  template <int n>
  __device__ void sum(float (&values)[n]) const {
    reduce(values, Add{});
  }
  __device__ float sum(float value) const {
    float values[] = {value};
    sum(values);
    return values[0];
  }
  __device__ float max(float value) const {
    float values[] = {value};
    reduce(values, Larger{});
    return values[0];
  }

 private:
  template <int n, class Combine>
  __device__ void reduce(float (&values)[n], Combine combine) const {
#pragma unroll
    for (float& value : values) value = warp_reduce(value, combine);
    if (size == warp_size) return;
    __shared__ float of_warps[n][most_threads / warp_size];
    __syncthreads();  // the values of the last reduction have been read
#pragma unroll
    for (int i = 0; i < n; ++i)
      if (rank % warp_size == 0) of_warps[i][rank / warp_size] = values[i];
    __syncthreads();
#pragma unroll
    for (int i = 0; i < n; ++i) {
      values[i] = of_warps[i][0];
      for (int warp = 1; warp < size / warp_size; ++warp)
        values[i] = combine(values[i], of_warps[i][warp]);
    }
  }
};

// Calls use(k, column) for each packet of `width` elements that this thread holds of a row; k counts
// them and is known at compile time.
template <int width, class Use>
__device__ void each_held_packet(const Team& team, int columns, Use use) {
#pragma unroll
  for (int k = 0; k < held_elements / width; ++k) {
    const int column = (k * team.size + team.rank) * width;
    if (column < columns) use(k, column);
  }
}

// Calls use(column) for each packet of this thread's in a row of any length.
template <int width, class Use>
__device__ void each_packet(const Team& team, std::int64_t columns, Use use) {
#pragma unroll 2
  for (std::int64_t column = std::int64_t{width} * team.rank; column < columns;
       column += std::int64_t{width} * team.size)
    use(column);
}

}  // namespace steelyard::gpu
