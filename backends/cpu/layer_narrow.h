// SPDX-License-Identifier: Apache-2.0
// Formats of 8 bits from and to vectors of f32. Rounding to fp8 is integer arithmetic on the bits of f32;
// subnormal results are rounded by adding a power of two whose last bit is their step. fp8 is widened as
// an f16 of the wrong exponent. fp8 is in OCP's encoding.
#pragma once

#include "backends/cpu/layer_simd.h"

namespace steelyard::cpu {
namespace {

struct E4m3 {
  static constexpr int mantissa = 3, bias = 7;
  static constexpr float max = 448;
  static constexpr std::uint32_t nan = 0x7f;
};
struct E5m2 {
  static constexpr int mantissa = 2, bias = 15;
  static constexpr float max = 57344;
  static constexpr std::uint32_t nan = 0x7e;
};
struct Int8 {
  static constexpr float max = 127;
};

constexpr float power_of_two(int exponent) {
  float result = 1;
  for (; exponent > 0; --exponent) result *= 2;
  for (; exponent < 0; ++exponent) result /= 2;
  return result;
}

// To nearest, ties to even, saturating; one code per word.
template <class Format8>
Words encode(Vector<float> value) {
  constexpr int dropped = 23 - Format8::mantissa;
  constexpr float smallest_normal = power_of_two(1 - Format8::bias);
  constexpr float step_is_last_bit = power_of_two(23 + 1 - Format8::bias - Format8::mantissa);
  constexpr std::uint32_t rebias = (127 - Format8::bias) << Format8::mantissa;
  Vector<float> size = absolute<float>(value);
  size = size > Format8::max ? Vector<float>{} + Format8::max : size;
  const auto bits = (Words)size;
  const Words normal =
      ((bits + ((1u << (dropped - 1)) - 1) + (bits >> dropped & 1)) >> dropped) - rebias;
  const Words subnormal =
      (Words)(size + step_is_last_bit) - (Words)(Vector<float>{} + step_is_last_bit);
  const Words code = size < smallest_normal ? subnormal : normal;
  return (value == value ? code : Words{} + Format8::nan) | ((Words)value >> 24 & 0x80);
}

template <>
inline Words encode<Int8>(Vector<float> value) {
  value = value > Int8::max ? Vector<float>{} + Int8::max : value;
  value = value < -Int8::max - 1 ? Vector<float>{} - Int8::max - 1 : value;
  return (Words)(value + round_to_whole<float>)-(Words)(Vector<float>{} + round_to_whole<float>);
}

template <class Format8>
Vector<float> decode(Words code) {
  constexpr int exponent = 15 - Format8::bias;  // f16 has a bias of 15
  const Words half = (code & 0x80) << 8 | (code & 0x7f) << (10 - Format8::mantissa);
  const Vector<float> value = Format<Half>::widen(low_halves(half));
  if constexpr (exponent == 0) return value;
  const Vector<float> scaled = value * power_of_two(exponent);
  return (code & 0x7f) == Format8::nan ? Vector<float>{} + __builtin_nanf("") : scaled;
}

template <>
inline Vector<float> decode<Int8>(Words code) {
  return __builtin_convertvector((Vector<std::int32_t>)(code << 24) >> 24, Vector<float>);
}

// The codes in the lowest bytes of words, side by side.
template <Store how>
void put_codes(std::uint8_t* to, Words codes, Whole) {
  store<how>(to, low_bytes(codes));
}
template <Store how>
void put_codes(std::uint8_t* to, Words codes, Part part) {
  const Bytes narrow = low_bytes(codes);
  std::memcpy(to, &narrow, part.count);
}

inline Words get_codes(const std::uint8_t* from, Whole) {
  return extend(load<Bytes>(from));
}
inline Words get_codes(const std::uint8_t* from, Part part) {
  Bytes codes = {};
  std::memcpy(&codes, from, part.count);
  return extend(codes);
}

}  // namespace
}  // namespace steelyard::cpu
