// SPDX-License-Identifier: Apache-2.0
// What atomic instructions make of the value in memory and their operand. Of the integer types, signed
// ones are only those of smin and smax.
#pragma once

#include "tests/amd_emulator/numbers.h"

namespace amd_emulator::atomic {

inline constexpr auto add = []<class T>(T old, T by) { return static_cast<T>(old + by); };
inline constexpr auto subtract = []<class T>(T old, T by) { return static_cast<T>(old - by); };
inline constexpr auto subtract_from = []<class T>(T old, T by) { return static_cast<T>(by - old); };
inline constexpr auto smaller = []<class T>(T old, T by) { return minimum(old, by); };
inline constexpr auto larger = []<class T>(T old, T by) { return maximum(old, by); };
inline constexpr auto bit_and = []<class T>(T old, T by) { return static_cast<T>(old & by); };
inline constexpr auto bit_or = []<class T>(T old, T by) { return static_cast<T>(old | by); };
inline constexpr auto bit_xor = []<class T>(T old, T by) { return static_cast<T>(old ^ by); };
inline constexpr auto exchange = []<class T>(T, T by) { return by; };
// Counting up to a limit and starting anew, and down from it.
inline constexpr auto increment = []<class T>(T old, T limit) {
  return static_cast<T>(old >= limit ? 0 : old + 1);
};
inline constexpr auto decrement = []<class T>(T old, T limit) {
  return static_cast<T>(old == 0 || old > limit ? limit : old - 1);
};
// Two halves of 32 bits.
inline constexpr auto add_f16_pair = [](u32 old, u32 by) {
  const auto sum = [](u32 a, u32 b) {
    return u32{std::bit_cast<u16>(static_cast<f16>(std::bit_cast<f16>(static_cast<u16>(a)) +
                                                   std::bit_cast<f16>(static_cast<u16>(b))))};
  };
  return sum(old, by) | sum(old >> 16, by >> 16) << 16;
};
inline constexpr auto add_bf16_pair = [](u32 old, u32 by) {
  const auto sum = [](u32 a, u32 b) {
    const f32 x = std::bit_cast<f32>(a << 16) + std::bit_cast<f32>(b << 16);
    const u32 bits = std::bit_cast<u32>(x);
    return is_nan(x) ? (bits | 0x400000) >> 16 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  };
  return sum(old, by) | sum(old >> 16, by >> 16) << 16;
};

}  // namespace amd_emulator::atomic
