// SPDX-License-Identifier: Apache-2.0
// What the elements of a matrix instruction's operands mean. Conversions are integer steps, which a
// compiler turns into vector instructions; all of them are exact but Xf32's.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "tests/amd_emulator/fnuz.h"

namespace amd_emulator {

// Each type: how many bits an element has, in what it is computed, and the value of an element in the
// low bits of a word.
struct F64 {
  using Value = double;
  static constexpr int bits = 64;
};

struct F32 {
  using Value = float;
  static constexpr int bits = 32;
  static float value(std::uint32_t word) { return std::bit_cast<float>(word); }
};

// The hardware drops the 13 low bits; it does not round. AMD's own probe of gfx942 (rocke's
// tf32_mma_probe) compares against that.
struct Xf32 {
  using Value = float;
  static constexpr int bits = 32;
  static float value(std::uint32_t word) { return std::bit_cast<float>(word & ~0x1fffu); }
};

struct F16 {
  using Value = float;
  static constexpr int bits = 16;
  static float value(std::uint32_t word) {
    // Exponent and mantissa where f32 has them, then the exponents' bias: right for denormals too. Of
    // infinities and NaN the exponent is still to be filled up.
    const std::uint32_t magnitude = (word & 0x7fff) << 13;
    const std::uint32_t special = magnitude >= 0x0f800000 ? 0x7f800000 : 0;
    const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | special |
                                (word & 0x8000) << 16);
  }
};

struct Bf16 {
  using Value = float;
  static constexpr int bits = 16;
  static float value(std::uint32_t word) { return std::bit_cast<float>(word << 16); }
};

// The matrix instructions of MI200 take denormal f16 and bf16 for zero and make denormal results zero;
// those for f32 and f64 do not, nor does any later GPU. ("MI200 matrix fused multiply-add behavior
// specifics" in MIOpen's documentation; PyTorch's "Numerical accuracy", section on MI200.)
struct FlushedF16 : F16 {
  static float value(std::uint32_t word) {
    return F16::value((word & 0x7c00) == 0 ? word & 0x8000 : word);
  }
};
struct FlushedBf16 : Bf16 {
  static float value(std::uint32_t word) {
    return Bf16::value((word & 0x7f80) == 0 ? word & 0x8000 : word);
  }
};

template <class Type>
inline constexpr bool flushes_results = false;
template <>
inline constexpr bool flushes_results<FlushedF16> = true;
template <>
inline constexpr bool flushes_results<FlushedBf16> = true;

inline float flush(float value) {
  const auto word = std::bit_cast<std::uint32_t>(value);
  return (word & 0x7f800000) == 0 ? std::bit_cast<float>(word & 0x80000000) : value;
}

template <class Format>
struct Fnuz8 {
  using Value = float;
  static constexpr int bits = 8;
  static float value(std::uint32_t word) { return Format::decode(static_cast<std::uint8_t>(word)); }
};
using Fp8Factor = Fnuz8<Fp8>;
using Bf8Factor = Fnuz8<Bf8>;

// Computed without a sign, since sums wrap.
struct I8 {
  using Value = std::uint32_t;
  static constexpr int bits = 8;
  static std::uint32_t value(std::uint32_t word) {
    return static_cast<std::uint32_t>(static_cast<std::int32_t>(word << 24) >> 24);
  }
};

inline float multiply_add(float a, float b, float c) {
  return std::fma(a, b, c);
}
inline double multiply_add(double a, double b, double c) {
  return std::fma(a, b, c);
}
inline std::uint32_t multiply_add(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return a * b + c;
}

}  // namespace amd_emulator
