// SPDX-License-Identifier: Apache-2.0
// The 8-bit floating-point formats of gfx942 (fp8: e4m3, bf8: e5m2, both FNUZ): finite, no negative zero,
// one NaN, whose code is 0x80. "AMD Instinct MI300 Instruction Set Architecture", section on data
// formats.
#pragma once

#include <algorithm>

#include "tests/amd_emulator/numbers.h"

namespace amd_emulator {

template <int exponent_bits>
struct Fnuz {
  static constexpr int mantissa_bits = 7 - exponent_bits;
  static constexpr int bias = 1 << (exponent_bits - 1);
  static constexpr u8 nan = 0x80;

  // The bits in the place of those of an f32, whose exponent is then too small by the difference of the
  // biases. Without branches: matrix instructions decode many.
  static constexpr f32 decode(u8 code) {
    constexpr f32 scale = std::bit_cast<f32>(u32{127 + 127 - bias} << 23);
    const f32 magnitude = std::bit_cast<f32>((code & 0x7fu) << (23 - mantissa_bits)) * scale;
    const u32 sign = (code & 0x80u) << 24, not_a_number = code == nan ? 0x7fc00000 : 0;
    return std::bit_cast<f32>(std::bit_cast<u32>(magnitude) | sign | not_a_number);
  }

  // To the nearest, ties to even. Numbers beyond the largest one become NaN.
  static u8 encode(f32 x) {
    if (x == 0) return 0;
    if (!(std::fabs(x) < infinity<f32>())) return nan;
    int exponent = 0;
    (void)std::frexp(x, &exponent);
    const int unit = std::max(exponent - 1, 1 - bias) - mantissa_bits;
    return from_units(x, unit, std::nearbyint(std::ldexp(std::fabs(x), -unit)));
  }
  // With the discarded part compared against the high bits of `random`: rounded away from zero where
  // their sum overflows.
  static u8 encode_stochastic(f32 x, u32 random) {
    if (x == 0) return 0;
    if (!(std::fabs(x) < infinity<f32>())) return nan;
    int exponent = 0;
    (void)std::frexp(x, &exponent);
    const int unit = std::max(exponent - 1, 1 - bias) - mantissa_bits;
    const f64 exact = std::ldexp(static_cast<f64>(std::fabs(x)), -unit);
    return from_units(x, unit, static_cast<f32>(std::floor(exact + std::ldexp(random, -32))));
  }

 private:
  // The code of `count` units of 2^unit with the sign of x. A count that rounding made one bit longer
  // carries into the exponent by itself.
  static u8 from_units(f32 x, int unit, f32 count) {
    const int exponent = unit + mantissa_bits + bias;
    const int code = static_cast<int>(count) + ((exponent - 1) << mantissa_bits);
    if (code > 0x7f) return nan;
    return static_cast<u8>(code == 0 ? 0 : x < 0 ? code | 0x80 : code);
  }
};
using Fp8 = Fnuz<4>;
using Bf8 = Fnuz<5>;

}  // namespace amd_emulator
