// SPDX-License-Identifier: Apache-2.0
// Stands in for backends/gpu/vendor_ptx.h: the same functions, computed.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "backends/dtype.h"
#include "tests/emulated_cuda/matrix.h"
#include "tests/emulated_cuda/shared_memory.h"

namespace steelyard::gpu::ptx {

inline void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulated_cuda::multiply<DType::bf16>("mma_m16n8k16_bf16", d, a, b);
}
inline void mma_m16n8k16_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulated_cuda::multiply<DType::f16>("mma_m16n8k16_f16", d, a, b);
}
inline void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulated_cuda::multiply<DType::tf32>("mma_m16n8k8_tf32", d, a, b);
}
inline void mma_m16n8k32_s8(int (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulated_cuda::multiply<DType::int8>("mma_m16n8k32_s8", d, a, b);
}
inline void mma_m16n8k32_e4m3(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulated_cuda::multiply<DType::fp8_e4m3>("mma_m16n8k32_e4m3", d, a, b);
}
inline void mma_m16n8k32_e5m2(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulated_cuda::multiply<DType::fp8_e5m2>("mma_m16n8k32_e5m2", d, a, b);
}
inline void mma_m8n8k4_f64(double (&d)[2], double a, double b) {
  emulated_cuda::multiply_f64(d, a, b);
}

inline void ldmatrix_x4(unsigned (&r)[4], const void* row) {
  emulated_cuda::load_matrices<4, false>("ldmatrix_x4", r, row);
}
inline void ldmatrix_x4_trans(unsigned (&r)[4], const void* row) {
  emulated_cuda::load_matrices<4, true>("ldmatrix_x4_trans", r, row);
}
inline void ldmatrix_x2(unsigned (&r)[2], const void* row) {
  emulated_cuda::load_matrices<2, false>("ldmatrix_x2", r, row);
}
inline void ldmatrix_x2_trans(unsigned (&r)[2], const void* row) {
  emulated_cuda::load_matrices<2, true>("ldmatrix_x2_trans", r, row);
}

inline std::byte* dynamic_shared_memory() {
  return emulated_cuda::dynamic_shared_memory().data();
}

inline void copy_async_16(void* shared, const void* global, bool valid) {
  emulated_cuda::start_copy_16(shared, valid ? global : nullptr);
}
inline void copy_async_commit() {
  emulated_cuda::commit_copies();
}
template <int n>
void copy_async_wait() {
  emulated_cuda::wait_for_copies(n);
}

inline std::uint16_t round_to_bf16(float value) {
  return static_cast<std::uint16_t>(encode(DType::bf16, value));
}
inline unsigned round_to_bf16x2(float low, float high) {
  return static_cast<unsigned>(encode(DType::bf16, low) | encode(DType::bf16, high) << 16);
}
inline unsigned round_to_f16x2(float low, float high) {
  return static_cast<unsigned>(encode(DType::f16, low) | encode(DType::f16, high) << 16);
}
inline unsigned round_to_tf32(float value) {
  return emulated_cuda::round_to_tf32(value);
}

inline std::uint16_t round_to_e4m3x2(float low, float high) {
  return static_cast<std::uint16_t>(encode(DType::fp8_e4m3, low) | encode(DType::fp8_e4m3, high)
                                                                       << 8);
}
inline std::uint16_t round_to_e5m2x2(float low, float high) {
  return static_cast<std::uint16_t>(encode(DType::fp8_e5m2, low) | encode(DType::fp8_e5m2, high)
                                                                       << 8);
}
inline unsigned widen_e4m3x2(std::uint16_t codes) {
  const auto half = [](unsigned code) {
    return static_cast<unsigned>(encode(DType::f16, decode(DType::fp8_e4m3, code)));
  };
  return half(codes & 0xff) | half(codes >> 8) << 16;
}

inline unsigned multiply_f16x2(unsigned a, unsigned b) {
  const auto product = [=](int shift) {
    const double low = decode(DType::f16, a >> shift & 0xffff),
                 high = decode(DType::f16, b >> shift & 0xffff);
    return static_cast<unsigned>(encode(DType::f16, low * high)) << shift;
  };
  return product(0) | product(16);
}

inline float exp2_approximate(float x) {
  const float result = std::exp2(x);
  return result < std::numeric_limits<float>::min() ? 0 : result;
}

}  // namespace steelyard::gpu::ptx
