// SPDX-License-Identifier: Apache-2.0
// The emulated CUDA devices: what kernels compute on them, and what is found wrong with kernels and with
// their hosts. This file is written as any other CUDA source.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/catch.h"
#include "tests/emulated_cuda/emulation.h"

using emulated_cuda::Failure;

namespace {

constexpr unsigned whole_warp = 0xffffffff;

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared,
                   cudaStream_t stream, Arguments... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

// Device memory with the values of a vector, and back.
template <class T>
class Device {
 public:
  explicit Device(const std::vector<T>& values) : count_(values.size()) {
    REQUIRE(cudaMalloc(&data_, bytes()) == cudaSuccess);
    REQUIRE(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice) == cudaSuccess);
  }
  ~Device() { cudaFree(data_); }
  Device(const Device&) = delete;
  T* data() { return data_; }
  std::vector<T> values() const {
    std::vector<T> result(count_);
    REQUIRE(cudaMemcpy(result.data(), data_, bytes(), cudaMemcpyDeviceToHost) == cudaSuccess);
    return result;
  }

 private:
  std::size_t bytes() const { return count_ * sizeof(T); }
  T* data_ = nullptr;
  std::size_t count_;
};

template <class T>
std::vector<T> counting(std::size_t count, T first = 0) {
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

// A device as after the start of the process, whatever a test has done to it.
struct Fresh {
  explicit Fresh(const char* architectures = "sm_90") { emulated_cuda::restart(architectures); }
  ~Fresh() { emulated_cuda::restart("sm_90"); }
};

// The fault that a launch of one block ends in, as its error says and the emulation describes.
template <class... Parameters, class... Arguments>
std::string fault_of(void (*kernel)(Parameters...), dim3 block, Arguments... arguments) {
  REQUIRE(launch(kernel, 1, block, 0, nullptr, arguments...) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  return emulated_cuda::last_fault();
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

__global__ void places(uint3* to) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  to[block * threads + thread] = {threadIdx.x + 10 * blockIdx.x, threadIdx.y + 10 * blockIdx.y,
                                  threadIdx.z + 10 * blockIdx.z};
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
__global__ void increment(int* value) {
  ++*value;
}
__global__ void set(int* to, int value) {
  *to = value;
}

}  // namespace

TEST_CASE("Every element of a grid is computed, also in a last block that is not full") {
  const Fresh device;
  const std::size_t count = 1000;
  Device<float> a(counting<float>(count)), b(counting<float>(count, 500)),
      sum(counting<float>(count));
  REQUIRE(launch(add, 8, 128, 0, nullptr, a.data(), b.data(), sum.data(), 1000) == cudaSuccess);
  const std::vector<float> result = sum.values();
  for (std::size_t i = 0; i < count; ++i) REQUIRE(result[i] == 2 * static_cast<float>(i) + 500);
}

TEST_CASE("Threads and blocks have their places in all three dimensions") {
  const Fresh device;
  Device<uint3> places_of(std::vector<uint3>(2 * 3 * 4 * 5 * 3 * 2));
  REQUIRE(launch(places, dim3(2, 3, 4), dim3(5, 3, 2), 0, nullptr, places_of.data()) ==
          cudaSuccess);
  const std::vector<uint3> result = places_of.values();
  const uint3 last = result.back(), second = result[30];  // 30 threads in a block
  CHECK((last.x == 14 && last.y == 22 && last.z == 31));
  CHECK((second.x == 10 && second.y == 0 && second.z == 0));
}

TEST_CASE("Shuffles, shared memory and atomics reduce blocks to one sum, in either order") {
  const Fresh device;
  emulated_cuda::reverse_order = GENERATE(false, true);
  Device<int> from(counting<int>(4096)), total({0});
  REQUIRE(launch(sum_of_block<int, 256>, 16, 256, 0, nullptr, from.data(), total.data()) ==
          cudaSuccess);
  CHECK(total.values()[0] == 4095 * 4096 / 2);
  emulated_cuda::reverse_order = false;
}

TEST_CASE("Without its barrier a kernel reads poison") {
  const Fresh device;
  Device<int> result(std::vector<int>(64));
  REQUIRE(launch(read_neighbour<true>, 2, 64, 0, nullptr, result.data()) == cudaSuccess);
  std::vector<int> expected = counting<int>(64, 1);
  expected.back() = 0;
  CHECK(result.values() == expected);
  REQUIRE(launch(read_neighbour<false>, 2, 64, 0, nullptr, result.data()) == cudaSuccess);
  CHECK(result.values()[0] == -1);
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
  CHECK_THAT(fault_of(barrier_without_thread_5, 64),
             ContainsSubstring("barrier_without_thread_5") &&
                 ContainsSubstring("thread (0,0,0) waits at __syncthreads") &&
                 ContainsSubstring("thread (5,0,0) has ended"));
}

TEST_CASE("Two barriers are not one") {
  const Fresh device;
  CHECK_THAT(fault_of(two_barriers, 64),
             ContainsSubstring("thread (0,0,0) waits at __syncthreads") &&
                 ContainsSubstring("but thread (32,0,0) waits at __syncthreads"));
}

TEST_CASE("A shuffle waits for every lane of its mask") {
  const Fresh device;
  Device<int> result(std::vector<int>(32));
  CHECK_THAT(fault_of(shuffle_of_half_a_warp, 32, result.data()),
             ContainsSubstring("waits at __shfl_xor_sync") &&
                 ContainsSubstring("thread (16,0,0) has ended"));
}

TEST_CASE("A vector is loaded from a multiple of its size") {
  const Fresh device;
  Device<float> from(counting<float>(8));
  Device<float4> to(std::vector<float4>(1));
  CHECK_THAT(fault_of(misaligned_load, 1, from.data(), to.data()), ContainsSubstring("misaligned"));
}

TEST_CASE("A fault stays: every later call repeats it") {
  const Fresh device;
  fault_of(barrier_without_thread_5, 64);
  void* memory = nullptr;
  CHECK(cudaMalloc(&memory, 4) == cudaErrorLaunchFailure);
  CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
  CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
}

TEST_CASE("Work of a stream that nothing waits for has not run") {
  const Fresh device;
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  Device<int> value({1});
  REQUIRE(launch(increment, 1, 1, 0, stream, value.data()) == cudaSuccess);
  CHECK(value.values()[0] == 1);  // the copy is the default stream's
  REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(value.values()[0] == 2);
}

TEST_CASE("A stream that waits for an event comes after it") {
  const Fresh device;
  cudaStream_t first = nullptr, second = nullptr;
  cudaEvent_t event = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking) == cudaSuccess);
  REQUIRE(cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking) == cudaSuccess);
  REQUIRE(cudaEventCreate(&event) == cudaSuccess);
  Device<int> value({0});
  REQUIRE(launch(set, 1, 1, 0, first, value.data(), 7) == cudaSuccess);
  REQUIRE(cudaEventRecord(event, first) == cudaSuccess);
  REQUIRE(cudaStreamWaitEvent(second, event) == cudaSuccess);
  REQUIRE(launch(increment, 1, 1, 0, second, value.data()) == cudaSuccess);
  REQUIRE(cudaStreamSynchronize(second) == cudaSuccess);
  CHECK(value.values()[0] == 8);
  CHECK(cudaEventDestroy(event) == cudaSuccess);
}

TEST_CASE("Events are ready once their stream has reached them") {
  const Fresh device;
  cudaEvent_t start = nullptr, stop = nullptr;
  REQUIRE(cudaEventCreate(&start) == cudaSuccess);
  REQUIRE(cudaEventCreate(&stop) == cudaSuccess);
  float milliseconds = 0;
  REQUIRE(cudaEventRecord(start) == cudaSuccess);
  REQUIRE(cudaEventRecord(stop) == cudaSuccess);
  CHECK(cudaEventElapsedTime(&milliseconds, start, stop) == cudaErrorNotReady);
  CHECK(cudaEventQuery(stop) == cudaErrorNotReady);
  REQUIRE(cudaEventSynchronize(stop) == cudaSuccess);
  CHECK(cudaEventElapsedTime(&milliseconds, start, stop) == cudaSuccess);
  CHECK(milliseconds > 0);
  CHECK(cudaEventDestroy(start) == cudaSuccess);
  CHECK(cudaEventDestroy(stop) == cudaSuccess);
}

TEST_CASE("A captured stream becomes a graph that runs as often as it is launched") {
  const Fresh device;
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  Device<int> value({0});
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  for (int i = 0; i < 3; ++i)
    REQUIRE(launch(increment, 1, 1, 0, stream, value.data()) == cudaSuccess);
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&executable, graph) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(value.values()[0] == 0);
  for (int i = 0; i < 2; ++i) REQUIRE(cudaGraphLaunch(executable, stream) == cudaSuccess);
  CHECK(value.values()[0] == 6);
  CHECK(cudaGraphExecDestroy(executable) == cudaSuccess);
}

TEST_CASE("Waiting and allocating spoil a capture") {
  const Fresh device;
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  void* memory = nullptr;
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  SECTION("waiting") {
    CHECK(cudaStreamSynchronize(stream) == cudaErrorStreamCaptureUnsupported);
  }
  SECTION("allocating") {
    CHECK(cudaMalloc(&memory, 4) == cudaErrorStreamCaptureUnsupported);
  }
  CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
  CHECK(graph == nullptr);
}
