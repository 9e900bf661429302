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

// A source of 64 lanes as values of T: the register's or constant's bits, with the instruction's
// modifiers. 16-bit values are a half of the register, as op_sel says.
template <class T>
class Source {
 public:
  Source(Operand operand) {
    const auto& [wave, it, k] = operand;
    raw_ = lanes32(wave, it, it.source[k], temporary_);
    if constexpr (sizeof(T) < 4) {
      if (is_float<T> && !is_vector(it.source[k]) && it.source[k] >= 240) constant_half(it, k);
      if ((it.op_sel >> k & 1) != 0) change([](u32 x) { return x >> 16; });
    }
    if constexpr (is_float<T>) {
      if ((it.absolute >> k & 1) != 0) change([](u32 x) { return x & ~sign; });
      if ((it.negate >> k & 1) != 0) change([](u32 x) { return x ^ sign; });
    }
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  T operator[](int lane) const { return std::bit_cast<T>(static_cast<BitsOf<T>>(raw_[lane])); }

 private:
  static constexpr u32 sign = sign_bit<BitsOf<T>>;

  template <class F>
  void change(F f) {
    for (int lane = 0; lane < lanes; ++lane) temporary_.value[lane] = f(raw_[lane]);
    raw_ = temporary_.value;
  }
  // Constants of 16-bit instructions have that type; literals are taken as they are.
  void constant_half(const Instruction& it, int k) {
    if (it.source[k] > 248) return;
    const auto value = static_cast<f16>(inline_constants[it.source[k] - 240]);
    for (u32& lane : temporary_.value) lane = std::bit_cast<u16>(value);
  }

  Lanes32 temporary_;
  const u32* raw_;
};

template <class T>
requires(sizeof(T) == 8) class Source<T> {
 public:
  Source(Operand operand)
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

// What happens to the other half of the register that gets a 16-bit result. The instructions that
// op_sel can send to the upper half keep the other one; all others clear it.
enum class OtherHalf : u8 { cleared, kept };

template <OtherHalf other = OtherHalf::cleared, class T>
void write_result(Wave& wave, const Instruction& it, const T (&result)[lanes]) {
  if constexpr (sizeof(T) == 8) {
    Lanes64 bits;
    for (int lane = 0; lane < lanes; ++lane) bits.value[lane] = std::bit_cast<u64>(result[lane]);
    write_lanes(wave, it.destination, bits);
  } else {
    Lanes32 bits;
    for (int lane = 0; lane < lanes; ++lane)
      bits.value[lane] = std::bit_cast<BitsOf<T>>(result[lane]);
    if constexpr (sizeof(T) == 2 && other == OtherHalf::kept) {
      const bool upper = (it.op_sel & 8) != 0;
      const u32* old = wave.v[it.destination];
      for (int lane = 0; lane < lanes; ++lane)
        bits.value[lane] = upper ? (old[lane] & 0xffff) | bits.value[lane] << 16
                                 : (old[lane] & ~0xffffu) | bits.value[lane];
    }
    write_lanes(wave, it.destination, bits);
  }
}

[[noreturn]] void unknown_clamp();

// f of the sources' lanes; a template argument, so that the loop over lanes is compiled around it.
template <auto f, class D, OtherHalf other, class... S>
void compute(Wave& wave, const Instruction& it) {
  [&]<std::size_t... k>(std::index_sequence<k...>) {
    const std::tuple<Source<S>...> sources(Operand{wave, it, static_cast<int>(k)}...);
    alignas(64) D result[lanes];
    for (int lane = 0; lane < lanes; ++lane)
      result[lane] = static_cast<D>(f(std::get<k>(sources)[lane]...));
    if ((it.clamp | it.output_modifier) != 0) [[unlikely]] {
      if constexpr (!is_float<D>) unknown_clamp();
      for (D& x : result) x = with_output_modifiers(x, it);
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

}  // namespace amd_emulator
