// SPDX-License-Identifier: Apache-2.0
// What backends/gpu/ needs of AMD: the HIP runtime and the wavefront, under the names of vendor_cuda.h.
#pragma once

#include <hip/hip_runtime.h>
#undef __noinline__  // a macro of that header's, and an attribute in the standard library's

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backends/gpu/fp8.h"
#include "backends/gpu/properties.h"

namespace steelyard::gpu {

inline constexpr std::string_view backend_name = "hip";
inline constexpr std::string_view vendor_name = "AMD";
inline constexpr int warp_size = 64;

inline constexpr std::string_view matrix_instruction = "MFMA";

// Of an architecture as in DeviceInfo.
inline bool has_matrix_instruction(DType type, std::string_view architecture) {
  const bool young = type == DType::fp8_e4m3 || type == DType::fp8_e5m2 || type == DType::tf32;
  return !young || architecture == "gfx942";
}

// Whether matrix units take a factor from shared memory in either order.
inline constexpr bool loads_either_order = false;
inline constexpr std::size_t default_shared_bytes = 64 << 10;  // more must be asked for

using Error = hipError_t;
using StreamHandle = hipStream_t;
using EventHandle = hipEvent_t;
using GraphHandle = hipGraph_t;
using ExecutableHandle = hipGraphExec_t;

inline constexpr Error success = hipSuccess;
inline constexpr Error out_of_memory = hipErrorOutOfMemory;
inline const char* describe(Error error) {
  return hipGetErrorString(error);
}
inline const char* name(Error error) {
  return hipGetErrorName(error);
}
inline Error last_error() {
  return hipGetLastError();
}

// Errors of the context: every call after one of them repeats it.
inline bool is_lost(Error error) {
  switch (error) {
    case hipErrorIllegalAddress:
    case hipErrorLaunchTimeOut:
    case hipErrorLaunchFailure:
    case hipErrorECCNotCorrectable:
    case hipErrorAssert:
    case hipErrorUnknown:
      return true;
    default:
      return false;
  }
}

inline Error device_count(int* count) {
  return hipGetDeviceCount(count);
}
inline Error select_device(int device) {
  return hipSetDevice(device);
}
Error read_properties(int device, Properties* properties);  // backends/hip/properties.cpp
inline Error memory_info(std::size_t* free, std::size_t* total) {
  return hipMemGetInfo(free, total);
}

inline Error allocate(void** memory, std::size_t bytes) {
  return hipMalloc(memory, bytes);
}
inline Error release(void* memory) {
  return hipFree(memory);
}
inline Error allocate_pinned(void** memory, std::size_t bytes) {
  return hipHostMalloc(memory, bytes, hipHostMallocDefault);
}
// Host memory in which the device sees what the host writes while a kernel runs, and the reverse.
inline Error allocate_coherent(void** memory, std::size_t bytes) {
  return hipHostMalloc(memory, bytes, hipHostMallocCoherent | hipHostMallocMapped);
}
inline Error release_pinned(void* memory) {
  return hipHostFree(memory);
}

// Between any two of device and host memory.
inline Error copy(void* to, const void* from, std::size_t bytes, StreamHandle stream) {
  return hipMemcpyAsync(to, from, bytes, hipMemcpyDefault, stream);
}

inline Error create(StreamHandle* stream) {
  return hipStreamCreateWithFlags(stream, hipStreamNonBlocking);
}
inline Error destroy(StreamHandle stream) {
  return hipStreamDestroy(stream);
}
inline Error wait(StreamHandle stream) {
  return hipStreamSynchronize(stream);
}

inline Error create(EventHandle* event) {
  return hipEventCreate(event);
}
inline Error destroy(EventHandle event) {
  return hipEventDestroy(event);
}
inline Error record(EventHandle event, StreamHandle stream) {
  return hipEventRecord(event, stream);
}
inline Error wait(EventHandle event) {
  return hipEventSynchronize(event);
}
inline Error elapsed(float* milliseconds, EventHandle start, EventHandle stop) {
  return hipEventElapsedTime(milliseconds, start, stop);
}

// What is enqueued on the stream between begin and end becomes a graph instead of running.
inline Error begin_capture(StreamHandle stream) {
  return hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal);
}
inline Error end_capture(StreamHandle stream, GraphHandle* graph) {
  return hipStreamEndCapture(stream, graph);
}
inline Error destroy(GraphHandle graph) {
  return hipGraphDestroy(graph);
}
inline Error instantiate(ExecutableHandle* executable, GraphHandle graph) {
  return hipGraphInstantiateWithFlags(executable, graph, 0);
}
inline Error launch(ExecutableHandle executable, StreamHandle stream) {
  return hipGraphLaunch(executable, stream);
}
inline Error destroy(ExecutableHandle executable) {
  return hipGraphExecDestroy(executable);
}

// Lets a kernel use more dynamic shared memory than a block has by default.
template <class... Parameters>
Error allow_shared_memory(void (*kernel)(Parameters...), std::size_t bytes) {
  return hipFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                             hipFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
}
// Blocks of a kernel that one compute unit holds at a time.
template <class... Parameters>
Error resident_blocks(int* blocks, void (*kernel)(Parameters...), int threads, std::size_t shared) {
  return hipOccupancyMaxActiveBlocksPerMultiprocessor(blocks, reinterpret_cast<const void*>(kernel),
                                                      threads, shared);
}
template <class... Parameters>
Error enqueue(void (*kernel)(Parameters...), dim3 blocks, unsigned threads, std::size_t shared,
              StreamHandle stream, Parameters... arguments) {
  void* addresses[] = {&arguments..., nullptr};  // an array is never empty
  return hipLaunchKernel(reinterpret_cast<const void*>(kernel), blocks, dim3(threads), addresses,
                         shared, stream);
}

#ifdef __HIPCC__  // what follows runs on the device

// What lanes of a warp wrote to shared memory is there for all of them: they run in step, but the
// compiler must keep the order.
__device__ inline void sync_warp() {
  __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
  __builtin_amdgcn_wave_barrier();
}

// The shared memory that a launch's Grid asks for, aligned to 1024.
__device__ inline std::byte* dynamic_shared_memory() {
  extern __shared__ __align__(1024) std::byte block_memory[];
  return block_memory;
}

// The value of the lane whose number differs by `mask`, or of lane `lane`. All lanes take part.
template <class T>
__device__ T shuffle_xor(T value, int mask) {
  return __shfl_xor(value, mask);
}
template <class T>
__device__ T shuffle(T value, int lane) {
  return __shfl(value, lane);
}
// Bit i: the predicate of lane i.
__device__ inline std::uint64_t ballot(bool predicate) {
  return __ballot(predicate);
}
// Tells the compiler that all lanes of a warp hold the same value: it goes into a scalar register.
__device__ inline int uniform(int value) {
  return __builtin_amdgcn_readfirstlane(value);
}

// The hardware's own addition: atomicAdd alone becomes a loop of compare-and-swap.
__device__ inline float atomic_add(float* to, float value) {
  return unsafeAtomicAdd(to, value);
}

// 2^x, to about two units in the last place; zero below the normal range.
__device__ inline float exp2_approximate(float x) {
  return __builtin_amdgcn_exp2f(x);
}

// 16 bytes that are used once: they push nothing out of the caches on their way.
using Vector16 = std::uint32_t __attribute__((ext_vector_type(4)));
__device__ inline uint4 load_streaming(const uint4* from) {
  const auto value = __builtin_nontemporal_load(reinterpret_cast<const Vector16*>(from));
  return {value.x, value.y, value.z, value.w};
}
__device__ inline void store_streaming(uint4* to, uint4 value) {
  __builtin_nontemporal_store(Vector16{value.x, value.y, value.z, value.w},
                              reinterpret_cast<Vector16*>(to));
}

// Global memory of which what lies behind `bytes` reads as zeros: the hardware compares. load_bounded
// reads `skipped` + `offset` bytes behind `data`. All but `offset` must be the same in all lanes of a
// warp. Whether the comparison counts `skipped` must not matter: AMD's manual and LLVM's differ.
using BoundedMemory = __amdgpu_buffer_rsrc_t;
__device__ inline BoundedMemory bounded(const void* data, unsigned bytes) {
  constexpr int untyped = 0x20000;
  return __builtin_amdgcn_make_buffer_rsrc(const_cast<void*>(data), 0, static_cast<int>(bytes),
                                           untyped);
}
template <class T>
__device__ T load_bounded(BoundedMemory memory, unsigned offset, unsigned skipped) {
  const auto at = static_cast<int>(offset), base = static_cast<int>(skipped);
  if constexpr (sizeof(T) == 16)
    return __builtin_bit_cast(T, __builtin_amdgcn_raw_buffer_load_b128(memory, at, base, 0));
  else if constexpr (sizeof(T) == 8)
    return __builtin_bit_cast(T, __builtin_amdgcn_raw_buffer_load_b64(memory, at, base, 0));
  else if constexpr (sizeof(T) == 4)
    return __builtin_bit_cast(T, __builtin_amdgcn_raw_buffer_load_b32(memory, at, base, 0));
}

// Bits of the nearest bf16 or f16, ties to even, and back. No instruction rounds to bf16; a NaN
// keeps a bit of its payload.
__device__ inline std::uint16_t to_bf16_bits(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  const std::uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
  return static_cast<std::uint16_t>((value != value ? bits | 0x400000 : rounded) >> 16);
}
__device__ inline std::uint16_t to_f16_bits(float value) {
  return __builtin_bit_cast(std::uint16_t, static_cast<_Float16>(value));
}
__device__ inline float from_f16_bits(std::uint16_t bits) {
  return static_cast<float>(__builtin_bit_cast(_Float16, bits));
}

// Products of two f16 each, side by side.
__device__ inline unsigned multiply_f16_pairs(unsigned a, unsigned b) {
  using Halves = _Float16 __attribute__((ext_vector_type(2)));
  return __builtin_bit_cast(unsigned,
                            __builtin_bit_cast(Halves, a) * __builtin_bit_cast(Halves, b));
}

// Two numbers that f16 holds exactly, the first in the low half.
__device__ inline unsigned exact_f16_pair(float low, float high) {
  return __builtin_bit_cast(unsigned, __builtin_amdgcn_cvt_pkrtz(low, high));  // to zero: no matter
}

// fp8 on this device: the values of two codes, the first in the low byte, and the codes of the nearest
// values, ties to even, saturating. The instruction makes NaN of what is beyond the largest number: it is held back first.
#ifdef __gfx942__
inline constexpr Fp8Format e4m3 = e4m3_fnuz, e5m2 = e5m2_fnuz;
inline constexpr bool has_fp8_conversion = true;

template <Fp8Format format>
__device__ float clamp_fp8(float value) {
  constexpr float largest = decode_fp8<format>(format.largest);
  return value != value ? value : __builtin_amdgcn_fmed3f(value, largest, -largest);
}
__device__ inline FloatPair from_e4m3_codes(std::uint16_t codes) {
  const auto values = __builtin_amdgcn_cvt_pk_f32_fp8(codes, false);
  return {values[0], values[1]};
}
__device__ inline std::uint16_t to_e4m3_codes(float low, float high) {
  return static_cast<std::uint16_t>(
      __builtin_amdgcn_cvt_pk_fp8_f32(clamp_fp8<e4m3>(low), clamp_fp8<e4m3>(high), 0, false));
}
__device__ inline std::uint16_t to_e5m2_codes(float low, float high) {
  return static_cast<std::uint16_t>(
      __builtin_amdgcn_cvt_pk_bf8_f32(clamp_fp8<e5m2>(low), clamp_fp8<e5m2>(high), 0, false));
}
#else
inline constexpr Fp8Format e4m3 = e4m3_ocp, e5m2 = e5m2_ocp;
inline constexpr bool has_fp8_conversion = false;

__device__ inline FloatPair from_e4m3_codes(std::uint16_t codes) {
  return decode_fp8_pair<e4m3>(codes);
}
__device__ inline std::uint16_t to_e4m3_codes(float low, float high) {
  return encode_fp8_pair<e4m3>(low, high);
}
__device__ inline std::uint16_t to_e5m2_codes(float low, float high) {
  return encode_fp8_pair<e5m2>(low, high);
}
#endif

#endif  // __HIPCC__

}  // namespace steelyard::gpu
