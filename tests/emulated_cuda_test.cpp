// SPDX-License-Identifier: Apache-2.0
// What kernels compute on emulated CUDA devices, and what is found wrong with kernels.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/cuda_arrays.h"

namespace {

constexpr unsigned whole_warp = 0xffffffff;

template <class T>
std::vector<T> counting(std::size_t count, T first = 0) {
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

__global__ void add(const float* a, const float* b, float* sum, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) sum[i] = a[i] + b[i];
}

template <class T, int threads>
__global__ void sum_of_block(const T* from, T* total) {
  __shared__ T of_warp[threads / 32];
  T value = from[blockIdx.x * threads + threadIdx.x];
  for (int mask = 16; mask > 0; mask /= 2) value += __shfl_xor_sync(whole_warp, value, mask);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    T sum = 0;
    for (const T part : of_warp) sum += part;
    atomicAdd(total, sum);
  }
}

template <bool with_barrier>
__global__ void read_neighbour(int* to) {
  __shared__ int values[64];
  values[threadIdx.x] = static_cast<int>(threadIdx.x);
  if constexpr (with_barrier) __syncthreads();
  to[threadIdx.x] = values[(threadIdx.x + 1) % 64];
}

__global__ void write_in_first_block(int* to) {
  __shared__ int value;
  if (blockIdx.x == 0) value = 5;
  to[blockIdx.x] = value;
}

__global__ void places(uint3* to) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  to[block * threads + thread] = {threadIdx.x + 10 * blockIdx.x, threadIdx.y + 10 * blockIdx.y,
                                  threadIdx.z + 10 * blockIdx.z};
}

#ifndef __SANITIZE_ADDRESS__
// A tile that is written again while others may still read it, or not, in two ways of waiting.
enum class Wait { nothing, warp, block };
template <Wait wait>
__global__ void reuse_tile(int* to) {
  __shared__ int tile[64];
  for (int round = 0; round < 2; ++round) {
    tile[threadIdx.x] = round;
    __syncthreads();
    to[threadIdx.x] = tile[threadIdx.x ^ 1];
    if constexpr (wait == Wait::warp) __syncwarp();
    if constexpr (wait == Wait::block) __syncthreads();
  }
}
template <Wait wait>
std::string race_in_reuse() {
  const Fresh device;
  const DeviceArray to(std::vector<int>(64));
  REQUIRE(launch(reuse_tile<wait>, {.block = 64}, to.data()) == cudaSuccess);
  (void)cudaDeviceSynchronize();
  return emulated_cuda::last_fault();
}
#endif

// What every lane gets from the four kinds of shuffles of its number, in segments of `width` lanes.
__global__ void shuffle_lanes(int4* to, int width) {
  const int lane = static_cast<int>(threadIdx.x);
  to[lane] = {__shfl_sync(whole_warp, lane, 3, width), __shfl_up_sync(whole_warp, lane, 2, width),
              __shfl_down_sync(whole_warp, lane, 2, width),
              __shfl_xor_sync(whole_warp, lane, 5, width)};
}
// Two halves of a warp, each by itself.
__global__ void vote_in_halves(unsigned* ballots, int* any, int* all) {
  const unsigned lane = threadIdx.x, mask = lane < 16 ? 0xffff : 0xffff0000;
  ballots[lane] = __ballot_sync(mask, lane % 3 == 0);
  any[lane] = __any_sync(mask, lane == 20);
  all[lane] = __all_sync(mask, lane < 20);
}

__global__ void barrier_without_thread_5() {
  if (threadIdx.x != 5) __syncthreads();
}
__global__ void two_barriers() {
  if (threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
}
__global__ void shuffle_of_half_a_warp(int* to) {
  if (threadIdx.x < 16) to[threadIdx.x] = __shfl_xor_sync(whole_warp, 1, 1);
}
__global__ void misaligned_load(const float* from, float4* to) {
  *to = __ldcs(reinterpret_cast<const float4*>(from + 1));
}

}  // namespace

TEST_CASE("Every element of a grid is computed, also in a last block that is not full") {
  const Fresh device;
  const std::size_t count = 1000;
  DeviceArray<float> a(counting<float>(count)), b(counting<float>(count, 500)),
      sum(counting<float>(count));
  REQUIRE(launch(add, {.grid = 8, .block = 128}, a.data(), b.data(), sum.data(), 1000) ==
          cudaSuccess);
  const std::vector<float> result = sum.values();
  for (std::size_t i = 0; i < count; ++i) REQUIRE(result[i] == 2 * static_cast<float>(i) + 500);
}

TEST_CASE("Threads and blocks have their places in all three dimensions") {
  const Fresh device;
  DeviceArray<uint3> places_of(std::vector<uint3>(2 * 3 * 4 * 5 * 3 * 2));
  REQUIRE(launch(places, {.grid = dim3(2, 3, 4), .block = dim3(5, 3, 2)}, places_of.data()) ==
          cudaSuccess);
  const std::vector<uint3> result = places_of.values();
  const uint3 last = result.back(), second = result[30];  // 30 threads in a block
  CHECK((last.x == 14 && last.y == 22 && last.z == 31));
  CHECK((second.x == 10 && second.y == 0 && second.z == 0));
}

TEST_CASE("Shuffles, shared memory and atomics reduce blocks to one sum, in either order") {
  const Fresh device;
  emulated_cuda::reverse_order = GENERATE(false, true);
  DeviceArray<int> from(counting<int>(4096)), total({0});
  REQUIRE(launch(sum_of_block<int, 256>, {.grid = 16, .block = 256}, from.data(), total.data()) ==
          cudaSuccess);
  CHECK(total.values()[0] == 4095 * 4096 / 2);
  emulated_cuda::reverse_order = false;
}

TEST_CASE("Shuffles stay within segments of the warp") {
  const Fresh device;
  const int width = GENERATE(8, 16, 32);
  const DeviceArray result(std::vector<int4>(32));
  REQUIRE(launch(shuffle_lanes, {.block = 32}, result.data(), width) == cudaSuccess);
  for (int lane = 0; lane < 32; ++lane) {
    const int4 got = result.values()[static_cast<std::size_t>(lane)];
    const int place = lane % width;
    CHECK(got.x == lane - place + 3);
    CHECK(got.y == (place >= 2 ? lane - 2 : lane));
    CHECK(got.z == (place + 2 < width ? lane + 2 : lane));
    CHECK(got.w == (lane ^ 5));
  }
}

TEST_CASE("Parts of a warp vote by themselves") {
  const Fresh device;
  const DeviceArray ballots(std::vector<unsigned>(32));
  const DeviceArray any(std::vector<int>(32)), all(std::vector<int>(32));
  REQUIRE(launch(vote_in_halves, {.block = 32}, ballots.data(), any.data(), all.data()) ==
          cudaSuccess);
  CHECK(ballots.values()[7] == 0x9249);        // 0, 3, 6, 9, 12, 15
  CHECK(ballots.values()[31] == 0x49240000u);  // 18, 21, 24, 27, 30
  CHECK((any.values()[0] == 0 && any.values()[16] == 1));
  CHECK((all.values()[0] == 1 && all.values()[16] == 0));
}

TEST_CASE("A missing barrier is found") {
  const Fresh device;
  DeviceArray<int> result(std::vector<int>(64));
  REQUIRE(launch(read_neighbour<true>, {.grid = 2, .block = 64}, result.data()) == cudaSuccess);
  std::vector<int> expected = counting<int>(64, 1);
  expected.back() = 0;
  CHECK(result.values() == expected);
#ifdef __SANITIZE_ADDRESS__  // which leaves no room for the search for races
  REQUIRE(launch(read_neighbour<false>, {.grid = 2, .block = 64}, result.data()) == cudaSuccess);
  CHECK(result.values()[0] == -1);
#else
  CHECK_THAT(fault_of(read_neighbour<false>, {.block = 64}, result.data()),
             ContainsSubstring("no barrier stands between the two"));
#endif
}

TEST_CASE("Shared memory is poison in every block that has not written it") {
  const Fresh device;
  DeviceArray<int> result({0, 0, 0});
  REQUIRE(launch(write_in_first_block, {.grid = 3}, result.data()) == cudaSuccess);
  CHECK(result.values() == std::vector<int>{5, -1, -1});
}

TEST_CASE("Memory of the device is poison at first") {
  const Fresh device;
  float* memory = nullptr;
  REQUIRE(cudaMalloc(&memory, 4 * sizeof(float)) == cudaSuccess);
  float values[4] = {};
  REQUIRE(cudaMemcpy(values, memory, sizeof values, cudaMemcpyDeviceToHost) == cudaSuccess);
  for (const float value : values) CHECK(std::isnan(value));
}

TEST_CASE("A barrier that a thread does not reach names both sides") {
  const Fresh device;
  CHECK_THAT(fault_of(barrier_without_thread_5, {.block = 64}),
             ContainsSubstring("barrier_without_thread_5") &&
                 ContainsSubstring("thread (0,0,0) waits at __syncthreads") &&
                 ContainsSubstring("thread (5,0,0) has ended"));
}

TEST_CASE("Two barriers are not one") {
  const Fresh device;
  CHECK_THAT(fault_of(two_barriers, {.block = 64}),
             ContainsSubstring("thread (0,0,0) waits at __syncthreads") &&
                 ContainsSubstring("but thread (32,0,0) waits at __syncthreads"));
}

TEST_CASE("A shuffle waits for every lane of its mask") {
  const Fresh device;
  DeviceArray<int> result(std::vector<int>(32));
  CHECK_THAT(fault_of(shuffle_of_half_a_warp, {.block = 32}, result.data()),
             ContainsSubstring("waits at __shfl_xor_sync") &&
                 ContainsSubstring("thread (16,0,0) has ended"));
}

TEST_CASE("A vector is loaded from a multiple of its size") {
  const Fresh device;
  DeviceArray<float> from(counting<float>(8));
  DeviceArray<float4> to(std::vector<float4>(1));
  CHECK_THAT(fault_of(misaligned_load, {.block = 1}, from.data(), to.data()),
             ContainsSubstring("misaligned"));
}

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("Accesses to shared memory that no barrier orders are a fault, whatever was read") {
  emulated_cuda::reverse_order = GENERATE(false, true);
  CHECK(race_in_reuse<Wait::block>().empty());
  CHECK(race_in_reuse<Wait::warp>().empty());  // neighbours are in the same warp
  CHECK_THAT(race_in_reuse<Wait::nothing>(),
             ContainsSubstring("of reuse_tile") || ContainsSubstring("tile[abi:emulated_shared]"));
  CHECK_THAT(race_in_reuse<Wait::nothing>(),
             ContainsSubstring("no barrier stands between the two"));
  emulated_cuda::reverse_order = false;
}
#endif
