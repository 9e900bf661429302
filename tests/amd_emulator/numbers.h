// SPDX-License-Identifier: Apache-2.0
// The number formats of registers, and the arithmetic on them that C++ does not spell.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace amd_emulator {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using f16 = _Float16;
using f32 = float;
using f64 = double;

template <class T>
inline constexpr bool is_float = std::is_floating_point_v<T> || std::is_same_v<T, f16>;

template <std::size_t bytes>
using Unsigned = std::conditional_t<
    bytes == 8, u64, std::conditional_t<bytes == 4, u32, std::conditional_t<bytes == 2, u16, u8>>>;
template <class T>
using BitsOf = Unsigned<sizeof(T)>;

// Of IEEE formats.
template <class T>
inline constexpr int mantissa_bits = sizeof(T) == 2   ? 10
                                     : sizeof(T) == 4 ? 23
                                                      : 52;
template <class T>
inline constexpr int largest_exponent = sizeof(T) == 2   ? 31
                                        : sizeof(T) == 4 ? 255
                                                         : 2047;

template <class T>
inline constexpr BitsOf<T> sign_bit = static_cast<BitsOf<T>>(BitsOf<T>{1} << (8 * sizeof(T) - 1));

template <class T>
constexpr int biased_exponent(T x) {
  return static_cast<int>(std::bit_cast<BitsOf<T>>(x) >> mantissa_bits<T>) & largest_exponent<T>;
}
template <class T>
constexpr BitsOf<T> mantissa(T x) {
  return static_cast<BitsOf<T>>(std::bit_cast<BitsOf<T>>(x) &
                                ((BitsOf<T>{1} << mantissa_bits<T>)-1));
}
template <class T>
constexpr bool is_nan(T x) {
  return x != x;
}
template <class T>
constexpr bool is_infinite(T x) {
  return biased_exponent(x) == largest_exponent<T> && mantissa(x) == 0;
}
template <class T>
constexpr bool is_denormal(T x) {
  return biased_exponent(x) == 0 && mantissa(x) != 0;
}
template <class T>
constexpr bool is_negative(T x) {
  return (std::bit_cast<BitsOf<T>>(x) & sign_bit<T>) != 0;
}
template <class T>
constexpr T with_sign(T x, bool negative) {
  const auto bits = static_cast<BitsOf<T>>(std::bit_cast<BitsOf<T>>(x) & ~sign_bit<T>);
  return std::bit_cast<T>(static_cast<BitsOf<T>>(bits | (negative ? sign_bit<T> : BitsOf<T>{0})));
}
template <class T>
constexpr T infinity() {
  return std::bit_cast<T>(
      static_cast<BitsOf<T>>(static_cast<BitsOf<T>>(largest_exponent<T>) << mantissa_bits<T>));
}
// A denormal number becomes a zero of its sign.
template <class T>
constexpr T flush_denormal(T x) {
  return is_denormal(x) ? with_sign(T{0}, is_negative(x)) : x;
}

template <class T>
constexpr T quiet(T nan) {
  return std::bit_cast<T>(static_cast<BitsOf<T>>(std::bit_cast<BitsOf<T>>(nan) |
                                                 BitsOf<T>{1} << (mantissa_bits<T> - 1)));
}
template <class T>
constexpr T quiet_nan() {
  return quiet(infinity<T>());
}
template <class T>
constexpr bool is_signalling(T x) {
  return is_nan(x) && (mantissa(x) >> (mantissa_bits<T> - 1)) == 0;
}

// The smaller and the larger number; of a number and a quiet NaN the number; -0 is less than 0. In the
// mode that kernels are started with a signalling NaN wins, quieted: compilers count on both.
template <class T>
constexpr T minimum(T a, T b) {
  if constexpr (is_float<T>) {
    if (is_signalling(a)) return quiet(a);
    if (is_signalling(b)) return quiet(b);
    if (a != a) return b;
    if (b != b) return a;
    if (a == b) return is_negative(a) ? a : b;
  }
  return a < b ? a : b;
}
template <class T>
constexpr T maximum(T a, T b) {
  if constexpr (is_float<T>) {
    if (is_signalling(a)) return quiet(a);
    if (is_signalling(b)) return quiet(b);
    if (a != a) return b;
    if (b != b) return a;
    if (a == b) return is_negative(a) ? b : a;
  }
  return a > b ? a : b;
}
template <class T>
constexpr T median(T a, T b, T c) {
  if constexpr (is_float<T>) {  // as the manuals have it
    if (is_nan(a) || is_nan(b) || is_nan(c)) return minimum(minimum(a, b), c);
    const T largest = maximum(maximum(a, b), c);
    if (largest == a) return maximum(b, c);
    return largest == b ? maximum(a, c) : maximum(a, b);
  }
  return maximum(minimum(a, b), minimum(maximum(a, b), c));
}

template <class T>
T fused_multiply_add(T a, T b, T c) {
  if constexpr (std::is_same_v<T, f16>) {
    // The product is exact in f64. So is the sum, but for its last bits: f16 has none of these.
    return static_cast<f16>(static_cast<f64>(a) * static_cast<f64>(b) + static_cast<f64>(c));
  } else {
    return std::fma(a, b, c);
  }
}

template <class T>
T round_to_even(T x) {
  if constexpr (std::is_same_v<T, f16>)
    return static_cast<f16>(std::nearbyint(static_cast<f32>(x)));
  else
    return std::nearbyint(x);
}

// Conversion to an integer: toward zero, held within the type; NaN becomes 0.
template <class Integer, class T>
Integer saturating_cast(T x) {
  const auto value = static_cast<f64>(x);
  if (value != value) return 0;
  if (value <= static_cast<f64>(std::numeric_limits<Integer>::min()))
    return std::numeric_limits<Integer>::min();
  if (value >= static_cast<f64>(std::numeric_limits<Integer>::max()))
    return std::numeric_limits<Integer>::max();
  return static_cast<Integer>(value);
}

// The number of the lowest one; how many zeros, or bits that equal the sign, lead. ~0 where nothing ends
// them.
template <class T>
constexpr u32 first_one(T x) {
  return x == 0 ? ~0u : static_cast<u32>(std::countr_zero(x));
}
template <class T>
constexpr u32 leading_zeros(T x) {
  return x == 0 ? ~0u : static_cast<u32>(std::countl_zero(x));
}
template <class T>
constexpr u32 leading_signs(T x) {
  return leading_zeros(static_cast<std::make_unsigned_t<T>>(x < 0 ? ~x : x));
}
template <class T>
constexpr T reversed_bits(T x) {
  T result = 0;
  for (unsigned bit = 0; bit < 8 * sizeof(T); ++bit)
    result = static_cast<T>(result | (x >> bit & 1) << (8 * sizeof(T) - 1 - bit));
  return result;
}

constexpr u32 low(u64 x) {
  return static_cast<u32>(x);
}
constexpr u32 high(u64 x) {
  return static_cast<u32>(x >> 32);
}
constexpr u64 pair(u32 low_half, u32 high_half) {
  return low_half | static_cast<u64>(high_half) << 32;
}

}  // namespace amd_emulator
