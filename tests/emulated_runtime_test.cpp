// SPDX-License-Identifier: Apache-2.0
// The emulated CUDA runtime: order of work, graphs, limits, errors, and the failures that tests ask for.
#include <cuda_runtime.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/cuda_arrays.h"

using emulated_cuda::fail;
using emulated_cuda::Failure;

namespace {

__global__ void increment(int* value) {
  ++*value;
}
__global__ void set(int* to, int value) {
  *to = value;
}
__global__ void barrier_for_some() {
  if (threadIdx.x > 0) __syncthreads();
}
// 1024 bytes of static shared memory.
__global__ void reverse(int* values) {
  __shared__ int staged[256];
  staged[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = staged[255 - threadIdx.x];
}

cudaStream_t make_stream(unsigned flags = cudaStreamNonBlocking) {
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, flags) == cudaSuccess);
  return stream;
}

cudaError_t allow_shared(std::size_t bytes) {
  return cudaFuncSetAttribute(reverse, cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(bytes));
}

}  // namespace

TEST_CASE("A fault stays: every later call repeats it") {
  const Fresh device;
  fault_of(barrier_for_some, {.block = 64});
  void* memory = nullptr;
  CHECK(cudaMalloc(&memory, 4) == cudaErrorLaunchFailure);
  CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
  CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
}

TEST_CASE("Other errors are reported once") {
  const Fresh device;
  CHECK(cudaSetDevice(7) == cudaErrorInvalidDevice);
  CHECK(cudaPeekAtLastError() == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaSuccess);
  CHECK(std::string(cudaGetErrorName(cudaErrorInvalidDevice)) == "cudaErrorInvalidDevice");
  CHECK(std::string(cudaGetErrorString(cudaErrorInvalidDevice)) == "invalid device ordinal");
}

TEST_CASE("Devices are what the environment or a test says") {
  const Fresh device("sm_80,sm_90");
  int count = 0;
  REQUIRE(cudaGetDeviceCount(&count) == cudaSuccess);
  REQUIRE(count == 2);
  cudaDeviceProp first, second;
  REQUIRE(cudaGetDeviceProperties(&first, 0) == cudaSuccess);
  REQUIRE(cudaGetDeviceProperties(&second, 1) == cudaSuccess);
  CHECK((first.major == 8 && first.minor == 0 && first.multiProcessorCount == 108));
  CHECK((second.major == 9 && second.minor == 0 && second.multiProcessorCount == 132));
  CHECK(std::string(first.name).starts_with("emulated "));
  CHECK(std::string(second.name).starts_with("emulated "));
  CHECK(std::memcmp(first.uuid.bytes, second.uuid.bytes, 16) != 0);
  emulated_cuda::restart("none");
  CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
  CHECK(count == 0);
}

TEST_CASE("A grid or a block beyond the limits is refused, and the device goes on") {
  const Fresh device;
  DeviceArray<int> value({0});
  CHECK(launch(increment, {.block = 1025}, value.data()) == cudaErrorInvalidConfiguration);
  CHECK(launch(increment, {.block = dim3(32, 33)}, value.data()) == cudaErrorInvalidConfiguration);
  CHECK(launch(increment, {.block = dim3(1, 1, 65)}, value.data()) ==
        cudaErrorInvalidConfiguration);
  CHECK(launch(increment, {.grid = 0}, value.data()) == cudaErrorInvalidConfiguration);
  CHECK(launch(increment, {.grid = dim3(1, 65536)}, value.data()) == cudaErrorInvalidConfiguration);
  CHECK(launch(increment, {.block = dim3(1)}, value.data()) == cudaSuccess);
  CHECK(value.values()[0] == 1);
}

TEST_CASE("More than 48 KiB of shared memory must be asked for, up to the device's limit") {
  const bool hopper = GENERATE(false, true);
  const Fresh device(hopper ? "sm_90" : "sm_80");
  const std::size_t limit = (hopper ? 227 : 163) << 10, used = 1024;
  DeviceArray<int> values(std::vector<int>(256, 1));
  const auto run = [&](std::size_t bytes) {
    return launch(reverse, {.block = 256, .shared_bytes = bytes}, values.data());
  };
  CHECK(run(48 << 10) == cudaSuccess);
  CHECK(run((48 << 10) + 1) == cudaErrorInvalidValue);
  CHECK(allow_shared(limit - used + 1) == cudaErrorInvalidValue);
  CHECK(allow_shared(limit - used) == cudaSuccess);
  CHECK(run(limit - used) == cudaSuccess);
  CHECK(run(limit - used + 1) == cudaErrorInvalidValue);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
}

TEST_CASE("A multiprocessor holds as many blocks as its threads and its shared memory allow") {
  const Fresh device("sm_80");
  int blocks = 0;
  const auto resident = [&](int threads, std::size_t shared) {
    REQUIRE(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reverse, threads, shared) ==
            cudaSuccess);
    return blocks;
  };
  CHECK(resident(256, 0) == 8);
  CHECK(resident(33, 0) == 32);         // at most 32 blocks
  CHECK(resident(256, 38 << 10) == 4);  // 40 of 164 KiB, with the kernel's and the system's
  CHECK(resident(256, 160 << 10) == 1);
  cudaFuncAttributes attributes;
  REQUIRE(cudaFuncGetAttributes(&attributes, reverse) == cudaSuccess);
  CHECK(attributes.sharedSizeBytes == 1024);
}

TEST_CASE("Memory runs out, and comes back when it is freed") {
  const Fresh device;
  emulated_cuda::limit_memory(1000);
  void *first = nullptr, *second = nullptr;
  std::size_t free = 0, total = 0;
  REQUIRE(cudaMalloc(&first, 600) == cudaSuccess);
  CHECK(cudaMalloc(&second, 401) == cudaErrorMemoryAllocation);
  REQUIRE(cudaMemGetInfo(&free, &total) == cudaSuccess);
  CHECK((free == 400 && total == 1000));
  REQUIRE(cudaFree(first) == cudaSuccess);
  CHECK(cudaMalloc(&second, 1000) == cudaSuccess);
  CHECK(cudaFree(second) == cudaSuccess);
  CHECK(cudaFree(second) == cudaErrorInvalidValue);
}

TEST_CASE("A copy fits into both sides and goes the way that it says") {
  const Fresh device;
  DeviceArray<int> there({1, 2, 3});
  int here[4] = {};
  CHECK(cudaMemcpy(here, there.data(), 16, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(here, there.data(), 12, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemset(here, 0, 4) == cudaErrorInvalidValue);
  CHECK(cudaMemset(there.data() + 1, 0, 12) == cudaErrorInvalidValue);
  CHECK(cudaMemset(there.data() + 1, 0, 4) == cudaSuccess);
  CHECK(cudaMemcpy(here, there.data() + 1, 8, cudaMemcpyDefault) == cudaSuccess);
  CHECK((here[0] == 0 && here[1] == 3));
}

TEST_CASE("Pinned memory is read when the stream comes to it, other memory at the call") {
  const Fresh device;
  const cudaStream_t stream = make_stream();
  DeviceArray<int> to({0, 0});
  int* pinned = nullptr;
  REQUIRE(cudaMallocHost(reinterpret_cast<void**>(&pinned), sizeof(int)) == cudaSuccess);
  int pageable = *pinned = 1;
  REQUIRE(cudaMemcpyAsync(to.data(), pinned, 4, cudaMemcpyDefault, stream) == cudaSuccess);
  REQUIRE(cudaMemcpyAsync(to.data() + 1, &pageable, 4, cudaMemcpyDefault, stream) == cudaSuccess);
  pageable = *pinned = 2;
  REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(to.values() == std::vector<int>{2, 1});
  CHECK(cudaFreeHost(pinned) == cudaSuccess);
}

TEST_CASE("The default stream waits for blocking streams, and they for it") {
  const Fresh device;
  const cudaStream_t stream = make_stream(cudaStreamDefault);
  DeviceArray<int> value({0});
  REQUIRE(launch(set, {.stream = stream}, value.data(), 5) == cudaSuccess);
  REQUIRE(launch(increment, {}, value.data()) == cudaSuccess);
  REQUIRE(launch(increment, {.stream = stream}, value.data()) == cudaSuccess);
  REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(value.values()[0] == 7);
}

TEST_CASE("Failures come when a test asks for them") {
  const Fresh device;
  DeviceArray<int> value({0});
  const auto run = [&] { return launch(increment, {}, value.data()); };
  void* memory = nullptr;
  fail(Failure::allocation, 2);
  CHECK(cudaMalloc(&memory, 4) == cudaSuccess);
  CHECK(cudaMalloc(&memory, 4) == cudaErrorMemoryAllocation);
  CHECK(cudaMalloc(&memory, 4) == cudaSuccess);
  fail(Failure::launch, 1);
  CHECK(run() == cudaErrorLaunchOutOfResources);
  CHECK(run() == cudaSuccess);
  CHECK(value.values()[0] == 1);
  fail(Failure::device_lost, 2);
  CHECK((run() == cudaSuccess && run() == cudaSuccess));
  CHECK(cudaDeviceSynchronize() == cudaErrorIllegalAddress);
  CHECK(run() == cudaErrorIllegalAddress);
}

TEST_CASE("Work of a stream that nothing waits for has not run") {
  const Fresh device;
  const cudaStream_t stream = make_stream();
  DeviceArray<int> value({1});
  REQUIRE(launch(increment, {.stream = stream}, value.data()) == cudaSuccess);
  CHECK(value.values()[0] == 1);  // the copy is the default stream's
  REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(value.values()[0] == 2);
}

TEST_CASE("A stream that waits for an event comes after it") {
  const Fresh device;
  const cudaStream_t first = make_stream(), second = make_stream();
  cudaEvent_t event = nullptr;
  REQUIRE(cudaEventCreate(&event) == cudaSuccess);
  DeviceArray<int> value({0});
  REQUIRE(launch(set, {.stream = first}, value.data(), 7) == cudaSuccess);
  REQUIRE(cudaEventRecord(event, first) == cudaSuccess);
  REQUIRE(cudaStreamWaitEvent(second, event) == cudaSuccess);
  REQUIRE(launch(increment, {.stream = second}, value.data()) == cudaSuccess);
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
  const cudaStream_t stream = make_stream(cudaStreamDefault);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  DeviceArray<int> value({0});
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  for (int i = 0; i < 3; ++i)
    REQUIRE(launch(increment, {.stream = stream}, value.data()) == cudaSuccess);
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
  const cudaStream_t stream = make_stream(cudaStreamDefault);
  cudaGraph_t graph = nullptr;
  void* memory = nullptr;
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
