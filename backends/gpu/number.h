// SPDX-License-Identifier: Apache-2.0
// Number formats on a device: storage types, and conversion to and from the f32 that kernels
// compute in.
#pragma once

#include <cstdint>
#include <type_traits>

#include "backends/dtype.h"
#include "backends/gpu/gpu.h"

namespace steelyard::gpu {

struct bf16 {
  std::uint16_t bits;
};
struct f16 {
  std::uint16_t bits;
};
struct tf32 {  // an f32 of which the matrix units read 19 bits
  float value;
};
struct fp8_e4m3 {  // in the encoding of the device
  std::uint8_t bits;
};
struct fp8_e5m2 {
  std::uint8_t bits;
};

__device__ inline float to_float(float value) {
  return value;
}
__device__ inline float to_float(tf32 value) {
  return value.value;
}
__device__ inline float to_float(bf16 value) {
  return __uint_as_float(static_cast<unsigned>(value.bits) << 16);
}
__device__ inline float to_float(f16 value) {
  return from_f16_bits(value.bits);
}

// To the 10 bits behind the point that a tf32 has; ties to even.
__device__ inline float round_to_tf32(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  const std::uint32_t rounded = (bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu;
  return value - value == 0 ? __builtin_bit_cast(float, rounded) : value;
}

// The nearest value, ties to even.
template <class T>
__device__ T from_float(float value) {
  if constexpr (std::is_same_v<T, bf16>)
    return {to_bf16_bits(value)};
  else if constexpr (std::is_same_v<T, f16>)
    return {to_f16_bits(value)};
  else if constexpr (std::is_same_v<T, tf32>)
    return {round_to_tf32(value)};
  else
    return {value};
}

// Calls f(T{}) with the storage type of a format that kernels compute in; false for the others.
template <class F>
bool with_float_type(DType type, F f) {
  switch (type) {
    case DType::f32:
      f(float{});
      return true;
    case DType::bf16:
      f(bf16{});
      return true;
    case DType::f16:
      f(f16{});
      return true;
    default:
      return false;
  }
}

}  // namespace steelyard::gpu
