// SPDX-License-Identifier: Apache-2.0
// What backends/gpu/ needs of NVIDIA: the CUDA runtime and the warp, under the names of vendor_hip.h.
#pragma once

#include <cuda_runtime.h>
#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "backends/gpu/vendor_ptx.h"
#endif

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "backends/gpu/fp8.h"
#include "backends/gpu/properties.h"

namespace steelyard::gpu {

inline constexpr std::string_view backend_name = "cuda";
inline constexpr std::string_view vendor_name = "NVIDIA";
inline constexpr int warp_size = 32;

inline constexpr std::string_view matrix_instruction = "mma.sync";

// Of an architecture as in DeviceInfo.
inline bool has_matrix_instruction(DType type, std::string_view architecture) {
  const bool fp8 = type == DType::fp8_e4m3 || type == DType::fp8_e5m2;
  return !fp8 || std::stoi(std::string(architecture.substr(3))) >= 89;  // "sm_90"
}

// Whether matrix units take a factor from shared memory in either order.
inline constexpr bool loads_either_order = true;
inline constexpr std::size_t default_shared_bytes = 48 << 10;  // more must be asked for

using Error = cudaError_t;
using StreamHandle = cudaStream_t;
using EventHandle = cudaEvent_t;
using GraphHandle = cudaGraph_t;
using ExecutableHandle = cudaGraphExec_t;

inline constexpr Error success = cudaSuccess;
inline constexpr Error out_of_memory = cudaErrorMemoryAllocation;
inline const char* describe(Error error) {
  return cudaGetErrorString(error);
}
inline const char* name(Error error) {
  return cudaGetErrorName(error);
}
inline Error last_error() {
  return cudaGetLastError();
}

// Errors of the context: every call after one of them repeats it.
inline bool is_lost(Error error) {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable:
    case cudaErrorDevicesUnavailable:
    case cudaErrorExternalDevice:
    case cudaErrorAssert:
      return true;
    default:
      return false;
  }
}

inline Error device_count(int* count) {
  return cudaGetDeviceCount(count);
}
inline Error select_device(int device) {
  return cudaSetDevice(device);
}
Error read_properties(int device, Properties* properties);  // backends/cuda/properties.cpp
inline Error memory_info(std::size_t* free, std::size_t* total) {
  return cudaMemGetInfo(free, total);
}

inline Error allocate(void** memory, std::size_t bytes) {
  return cudaMalloc(memory, bytes);
}
inline Error release(void* memory) {
  return cudaFree(memory);
}
inline Error allocate_pinned(void** memory, std::size_t bytes) {
  return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
}
// Host memory in which the device sees what the host writes while a kernel runs, and the reverse.
inline Error allocate_coherent(void** memory, std::size_t bytes) {
  return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
}
inline Error release_pinned(void* memory) {
  return cudaFreeHost(memory);
}

// Between any two of device and host memory.
inline Error copy(void* to, const void* from, std::size_t bytes, StreamHandle stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream);
}

inline Error create(StreamHandle* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking);
}
inline Error destroy(StreamHandle stream) {
  return cudaStreamDestroy(stream);
}
inline Error wait(StreamHandle stream) {
  return cudaStreamSynchronize(stream);
}

inline Error create(EventHandle* event) {
  return cudaEventCreate(event);
}
inline Error destroy(EventHandle event) {
  return cudaEventDestroy(event);
}
inline Error record(EventHandle event, StreamHandle stream) {
  return cudaEventRecord(event, stream);
}
inline Error wait(EventHandle event) {
  return cudaEventSynchronize(event);
}
inline Error elapsed(float* milliseconds, EventHandle start, EventHandle stop) {
  return cudaEventElapsedTime(milliseconds, start, stop);
}

// What is enqueued on the stream between begin and end becomes a graph instead of running.
inline Error begin_capture(StreamHandle stream) {
  return cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
}
inline Error end_capture(StreamHandle stream, GraphHandle* graph) {
  return cudaStreamEndCapture(stream, graph);
}
inline Error destroy(GraphHandle graph) {
  return cudaGraphDestroy(graph);
}
inline Error instantiate(ExecutableHandle* executable, GraphHandle graph) {
  return cudaGraphInstantiate(executable, graph, 0);
}
inline Error launch(ExecutableHandle executable, StreamHandle stream) {
  return cudaGraphLaunch(executable, stream);
}
inline Error destroy(ExecutableHandle executable) {
  return cudaGraphExecDestroy(executable);
}

// Lets a kernel use more dynamic shared memory than a block has by default.
template <class... Parameters>
Error allow_shared_memory(void (*kernel)(Parameters...), std::size_t bytes) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                              cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
}
// Blocks of a kernel that one multiprocessor holds at a time.
template <class... Parameters>
Error resident_blocks(int* blocks, void (*kernel)(Parameters...), int threads, std::size_t shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, kernel, threads, shared);
}
template <class... Parameters>
Error enqueue(void (*kernel)(Parameters...), dim3 blocks, unsigned threads, std::size_t shared,
              StreamHandle stream, Parameters... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = blocks;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

#ifdef __CUDACC__  // what follows runs on the device

inline constexpr unsigned whole_warp = 0xffffffff;

// What lanes of a warp wrote to shared memory is there for all of them.
__device__ inline void sync_warp() {
  __syncwarp();
}

// The shared memory that a launch's Grid asks for, aligned to 1024.
__device__ inline std::byte* dynamic_shared_memory() {
  return ptx::dynamic_shared_memory();
}

// The value of the lane whose number differs by `mask`, or of lane `lane`. All lanes take part.
template <class T>
__device__ T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(whole_warp, value, mask);
}
template <class T>
__device__ T shuffle(T value, int lane) {
  return __shfl_sync(whole_warp, value, lane);
}
// Bit i: the predicate of lane i.
__device__ inline std::uint64_t ballot(bool predicate) {
  return __ballot_sync(whole_warp, predicate);
}
// Tells the compiler that all lanes of a warp hold the same value.
__device__ inline int uniform(int value) {
  return value;
}

__device__ inline float atomic_add(float* to, float value) {
  return atomicAdd(to, value);
}

// 2^x, to about two units in the last place; zero below the normal range.
__device__ inline float exp2_approximate(float x) {
  return ptx::exp2_approximate(x);
}

// 16 bytes that are used once: they push nothing out of the caches on their way.
__device__ inline uint4 load_streaming(const uint4* from) {
  return __ldcs(from);
}
__device__ inline void store_streaming(uint4* to, uint4 value) {
  __stcs(to, value);
}

// Global memory of which what lies behind `bytes` reads as zeros. load_bounded reads `skipped` + `offset`
// bytes behind `data`.
struct BoundedMemory {
  const std::byte* data;
  unsigned bytes;
};
__device__ inline BoundedMemory bounded(const void* data, unsigned bytes) {
  return {static_cast<const std::byte*>(data), bytes};
}
template <class T>
__device__ T load_bounded(const BoundedMemory& memory, unsigned offset, unsigned skipped) {
  const std::uint64_t at = std::uint64_t{skipped} + offset;
  return at < memory.bytes ? *reinterpret_cast<const T*>(memory.data + at) : T{};
}

// Bits of the nearest bf16 or f16, ties to even, and back.
__device__ inline std::uint16_t to_bf16_bits(float value) {
  return __bfloat16_as_ushort(__float2bfloat16_rn(value));
}
__device__ inline std::uint16_t to_f16_bits(float value) {
  return __half_as_ushort(__float2half_rn(value));
}
__device__ inline float from_f16_bits(std::uint16_t bits) {
  return __half2float(__ushort_as_half(bits));
}

// Products of two f16 each, side by side.
__device__ inline unsigned multiply_f16_pairs(unsigned a, unsigned b) {
  return ptx::multiply_f16x2(a, b);
}

// Two numbers that f16 holds exactly, the first in the low half.
__device__ inline unsigned exact_f16_pair(float low, float high) {
  return ptx::round_to_f16x2(low, high);
}

// fp8 on this device, and whether an instruction converts it.
inline constexpr Fp8Format e4m3 = e4m3_ocp, e5m2 = e5m2_ocp;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 890
inline constexpr bool has_fp8_conversion = false;
#else
inline constexpr bool has_fp8_conversion = true;
#endif

// The values of two codes, the first in the low byte.
__device__ inline FloatPair from_e4m3_codes(std::uint16_t codes) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 890
  return decode_fp8_pair<e4m3>(codes);
#else
  const unsigned halves = ptx::widen_e4m3x2(codes);
  return {from_f16_bits(static_cast<std::uint16_t>(halves)),
          from_f16_bits(static_cast<std::uint16_t>(halves >> 16))};
#endif
}

// Codes of the nearest fp8 values, the first in the low byte; ties to even, saturating.
__device__ inline std::uint16_t to_e4m3_codes(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 890
  return encode_fp8_pair<e4m3>(low, high);
#else
  return ptx::round_to_e4m3x2(low, high);
#endif
}
__device__ inline std::uint16_t to_e5m2_codes(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 890
  return encode_fp8_pair<e5m2>(low, high);
#else
  return ptx::round_to_e5m2x2(low, high);
#endif
}

#endif  // __CUDACC__

}  // namespace steelyard::gpu
