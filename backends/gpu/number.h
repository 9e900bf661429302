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
__device__ inline float to_float(fp8_e4m3 value) {
  return decode_fp8<e4m3>(value.bits);
}
__device__ inline float to_float(fp8_e5m2 value) {
  return decode_fp8<e5m2>(value.bits);
}
__device__ inline float to_float(std::int8_t value) {
  return static_cast<float>(value);
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

// Two numbers that T, of 16 bits, holds exactly; the first in the low half.
template <class T>
__device__ unsigned pack_exact(float low, float high) {
  if constexpr (std::is_same_v<T, bf16>)
    return __float_as_uint(low) >> 16 | (__float_as_uint(high) & 0xffff0000u);
  else
    return exact_f16_pair(low, high);
}

// Two values of 8 bits, the nearest of their type; ties to even, saturating.
template <class Q>
__device__ void narrow(float low, float high, Q& first, Q& second) {
  if constexpr (std::is_same_v<Q, std::int8_t>) {
    const auto whole = [](float value) {
      return static_cast<std::int8_t>(__float2int_rn(fminf(fmaxf(value, -128.f), 127.f)));
    };
    first = whole(low);
    second = whole(high);
  } else {
    const unsigned codes =
        std::is_same_v<Q, fp8_e4m3> ? to_e4m3_codes(low, high) : to_e5m2_codes(low, high);
    first = {static_cast<std::uint8_t>(codes)};
    second = {static_cast<std::uint8_t>(codes >> 8)};
  }
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

// The same for formats of 8 bits.
template <class F>
bool with_narrow_type(DType type, F f) {
  switch (type) {
    case DType::fp8_e4m3:
      f(fp8_e4m3{});
      return true;
    case DType::fp8_e5m2:
      f(fp8_e5m2{});
      return true;
    case DType::int8:
      f(std::int8_t{});
      return true;
    default:
      return false;
  }
}

}  // namespace steelyard::gpu
