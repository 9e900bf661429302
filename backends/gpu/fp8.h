// SPDX-License-Identifier: Apache-2.0
// fp8 in plain arithmetic, for devices without an instruction that converts. The vendor headers
// include it.
#pragma once

#include <cstdint>

namespace steelyard::gpu {

// A sign, then exponent and mantissa. Codes of a magnitude above `largest` are no finite numbers.
struct Fp8Format {
  int mantissa, bias;
  std::uint8_t largest, nan;
  bool negative_zero;  // FNUZ spends that code on its NaN
};
inline constexpr Fp8Format e4m3_ocp = {3, 7, 0x7e, 0x7f, true};
inline constexpr Fp8Format e5m2_ocp = {2, 15, 0x7b, 0x7e, true};
inline constexpr Fp8Format e4m3_fnuz = {3, 8, 0x7f, 0x80, false};
inline constexpr Fp8Format e5m2_fnuz = {2, 16, 0x7f, 0x80, false};

__host__ __device__ constexpr float float_of(std::uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}
__host__ __device__ constexpr std::uint32_t bits_of(float value) {
  return __builtin_bit_cast(std::uint32_t, value);
}
__host__ __device__ constexpr float power_of_two(int exponent) {
  return float_of(static_cast<std::uint32_t>(exponent + 127) << 23);
}

// Moved to the places they have in an f32, its sign ahead of the rest, the bits of a value are that value
// times 2^(bias - 127), subnormal ones included.
template <Fp8Format format>
__host__ __device__ constexpr float decode_fp8(std::uint8_t code) {
  const std::uint32_t magnitude = code & 0x7f, sign = code & 0x80;
  constexpr std::uint32_t places = 0x80000000u | 0x7fu << (23 - format.mantissa);
  const auto moved = static_cast<std::int32_t>(std::uint32_t{code} << 24) >> (format.mantissa + 1);
  if (!format.negative_zero && code == format.nan) return float_of(0x7fc00000);
  if (magnitude > format.largest) {
    const bool infinite = format.mantissa == 2 && magnitude == format.largest + 1u;
    return float_of((infinite ? 0x7f800000 : 0x7fc00000) | sign << 24);
  }
  return float_of(static_cast<std::uint32_t>(moved) & places) * power_of_two(127 - format.bias);
}

// The nearest code, ties to even; beyond the largest number the largest.
template <Fp8Format format>
__host__ __device__ constexpr std::uint8_t encode_fp8(float value) {
  if (value != value) return format.nan;
  constexpr int dropped = 23 - format.mantissa;
  constexpr float largest = decode_fp8<format>(format.largest);
  // Adding a number whose last bit is the step of subnormal numbers rounds to that step.
  constexpr float rounder = power_of_two(dropped + 1 - format.bias);
  const std::uint32_t sign = bits_of(value) >> 24 & 0x80;
  float magnitude = float_of(bits_of(value) & 0x7fffffff);
  magnitude = magnitude < largest ? magnitude : largest;
  const std::uint32_t bits = bits_of(magnitude);
  const std::uint32_t half_less_one = (1u << (dropped - 1)) - 1;
  const std::uint32_t normal = ((bits + half_less_one + (bits >> dropped & 1)) >> dropped) -
                               (static_cast<std::uint32_t>(127 - format.bias) << format.mantissa);
  const std::uint32_t subnormal = bits_of(magnitude + rounder) - bits_of(rounder);
  const std::uint32_t code = magnitude < power_of_two(1 - format.bias) ? subnormal : normal;
  if (!format.negative_zero && code == 0) return 0;
  return static_cast<std::uint8_t>(code | sign);
}

struct FloatPair {
  float first, second;
};

// Two codes, the first in the low byte.
template <Fp8Format format>
__host__ __device__ constexpr FloatPair decode_fp8_pair(std::uint16_t codes) {
  return {decode_fp8<format>(static_cast<std::uint8_t>(codes)),
          decode_fp8<format>(static_cast<std::uint8_t>(codes >> 8))};
}
template <Fp8Format format>
__host__ __device__ constexpr std::uint16_t encode_fp8_pair(float low, float high) {
  return static_cast<std::uint16_t>(encode_fp8<format>(low) | encode_fp8<format>(high) << 8);
}

}  // namespace steelyard::gpu
