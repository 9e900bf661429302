// SPDX-License-Identifier: Apache-2.0
// Instructions that compute every lane by itself: result = f(sources). What is left to say of one of
// them is f and the types.
#pragma once

#include <tuple>
#include <utility>

#include "tests/amd_emulator/numbers.h"
#include "tests/amd_emulator/operands.h"

namespace amd_emulator {

struct Operand {
  Wave& wave;
  const Instruction& it;
  int k;  // which source of the instruction
};

// A floating-point constant of f16. Where pairs are taken, its upper half is empty.
inline u32 half_constant(unsigned code) {
  return std::bit_cast<u16>(static_cast<f16>(inline_constants[code - 240]));
}

// A source of 64 lanes as values of T: the register's or constant's bits, with the instruction's
// modifiers. 16-bit values are a half of the register, as op_sel says.
template <class T>
class Source {
 public:
  [[gnu::always_inline]] Source(Operand operand) {
    const auto& [wave, it, k] = operand;
    const unsigned code = it.source[k];
    raw_ = is_vector(code) ? wave.v[code - first_vector_code] : constant(wave, it, code);
    if (((it.absolute | it.negate | it.op_sel) >> k & 1) != 0) [[unlikely]]
      modify(it, k);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  T operator[](int lane) const { return std::bit_cast<T>(static_cast<BitsOf<T>>(raw_[lane])); }

 private:
  // Float constants of 16-bit instructions have that type; literals are taken as they are.
  [[gnu::noinline]] const u32* constant(Wave& wave, const Instruction& it, unsigned code) {
    u32 value = scalar32(wave, it, code);
    if (std::is_same_v<T, f16> && code >= 240 && code <= 248) value = half_constant(code);
    for (u32& lane : temporary_.value) lane = value;
    return temporary_.value;
  }
  [[gnu::noinline]] void modify(const Instruction& it, int k) {
    const bool upper = sizeof(T) < 4 && (it.op_sel >> k & 1) != 0;
    const bool absolute = is_float<T> && (it.absolute >> k & 1) != 0;
    const bool negate = is_float<T> && (it.negate >> k & 1) != 0;
    constexpr u32 sign = sign_bit<BitsOf<T>>;
    const u32 kept = absolute ? ~sign : ~u32{0}, flipped = negate ? sign : 0;
    for (int lane = 0; lane < lanes; ++lane)
      temporary_.value[lane] = ((upper ? raw_[lane] >> 16 : raw_[lane]) & kept) ^ flipped;
    raw_ = temporary_.value;
  }

  Lanes32 temporary_;
  const u32* raw_;
};

template <class T>
requires(sizeof(T) == 8) class Source<T> {
 public:
  [[gnu::always_inline]] Source(Operand operand)
      : value_(lanes64(operand.wave, operand.it, operand.it.source[operand.k],
                       is_float<T>           ? Literal::high
                       : std::is_signed_v<T> ? Literal::sign_extended
                                             : Literal::low)) {
    const auto& [wave, it, k] = operand;
    if constexpr (is_float<T>) {
      if ((it.absolute >> k & 1) != 0)
        for (u64& lane : value_.value) lane &= ~sign_bit<u64>;
      if ((it.negate >> k & 1) != 0)
        for (u64& lane : value_.value) lane ^= sign_bit<u64>;
    }
  }

  T operator[](int lane) const { return std::bit_cast<T>(value_.value[lane]); }

 private:
  Lanes64 value_;
};

// omod and clamp.
template <class T>
T with_output_modifiers(T x, const Instruction& it) {
  if constexpr (is_float<T>) {
    if (it.output_modifier == 1) x *= T{2};
    if (it.output_modifier == 2) x *= T{4};
    if (it.output_modifier == 3) x *= static_cast<T>(0.5);
    if (it.clamp != 0) x = is_nan(x) ? T{0} : maximum(T{0}, minimum(T{1}, x));
  }
  return x;
}

// What 64 lanes come to, as the bits that registers hold.
template <class T>
class Result {
 public:
  void set(int lane, T value) { bits_.value[lane] = std::bit_cast<BitsOf<T>>(value); }
  T get(int lane) const { return std::bit_cast<T>(static_cast<BitsOf<T>>(bits_.value[lane])); }
  auto& bits() { return bits_; }

 private:
  std::conditional_t<sizeof(T) == 8, Lanes64, Lanes32> bits_;
};

// What happens to the other half of the register that gets a 16-bit result. The instructions that
// op_sel can send to the upper half keep the other one; all others clear it.
enum class OtherHalf : u8 { cleared, kept };

template <OtherHalf other = OtherHalf::cleared, class T>
void write_result(Wave& wave, const Instruction& it, Result<T>& result) {
  auto& bits = result.bits();
  if constexpr (sizeof(T) == 2 && other == OtherHalf::kept) {
    const bool upper = (it.op_sel & 8) != 0;
    const u32* old = wave.v[it.destination];
    for (int lane = 0; lane < lanes; ++lane)
      bits.value[lane] = upper ? (old[lane] & 0xffff) | bits.value[lane] << 16
                               : (old[lane] & ~0xffffu) | bits.value[lane];
  }
  write_lanes(wave, it.destination, bits);
}

// Bit i: whether flag i, which is 0 or 1, is set. Eight at a time, gathered by a multiplication.
inline u64 bits_of(const u8 (&flags)[lanes]) {
  u64 bits = 0;
  for (int lane = 0; lane < lanes; lane += 8) {
    u64 eight;
    std::memcpy(&eight, flags + lane, sizeof(eight));
    bits |= (eight * 0x0102040810204080 >> 56) << lane;
  }
  return bits;
}

[[noreturn]] void unknown_clamp();

template <class T>
T held_within(i64 x) {
  constexpr i64 least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
  return static_cast<T>(x < least ? least : x > most ? most : x);
}

// f of the sources' lanes; a template argument, so that the loop over lanes is compiled around it.
template <auto f, class D, OtherHalf other, class... S>
void compute(Wave& wave, const Instruction& it) {
  [&]<std::size_t... k>(std::index_sequence<k...>) {
    const std::tuple<Source<S>...> sources(Operand{wave, it, static_cast<int>(k)}...);
    Result<D> result;
    for (int lane = 0; lane < lanes; ++lane)
      result.set(lane, static_cast<D>(f(std::get<k>(sources)[lane]...)));
    if ((it.clamp | it.output_modifier) != 0) [[unlikely]] {
      if constexpr (!is_float<D>) unknown_clamp();
      for (int lane = 0; lane < lanes; ++lane)
        result.set(lane, with_output_modifiers(result.get(lane), it));
    }
    write_result<other>(wave, it, result);
  }
  (std::index_sequence_for<S...>());
}

// The handler of an instruction with sources of types S and a result of type D.
template <auto f, class D, class... S>
void lanewise(Wave& wave, const Instruction& it) {
  compute<f, D, OtherHalf::cleared, S...>(wave, it);
}
template <auto f, class D, class... S>
void lanewise_in_half(Wave& wave, const Instruction& it) {
  compute<f, D, OtherHalf::kept, S...>(wave, it);
}

// The instruction with its destination as third source, which the names with a c behind them imply.
inline Instruction with_addend(Instruction it) {
  it.source[2] = static_cast<u16>(first_vector_code + it.destination);
  return it;
}
template <auto f, class T>
void accumulate(Wave& wave, const Instruction& it) {
  lanewise<f, T, T, T, T>(wave, with_addend(it));
}

// An integer operation of two operands: with clamp the exact result is held within T, without it wraps.
template <auto f, class T, OtherHalf other = OtherHalf::cleared>
void wrapped_or_held(Wave& wave, const Instruction& it) {
  using U = std::make_unsigned_t<T>;
  if (it.clamp == 0) return compute<f, U, other, U, U>(wave, it);
  Instruction held = it;
  held.clamp = 0;
  constexpr auto exact = [](T a, T b) { return held_within<T>(f(i64{a}, i64{b})); };
  compute<exact, T, other, T, T>(wave, held);
}

}  // namespace amd_emulator
