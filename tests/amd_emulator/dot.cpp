// SPDX-License-Identifier: Apache-2.0
// Dot products of the parts of two registers, added to a third one.
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/lanewise.h"

namespace amd_emulator {
namespace {

// Two halves: of each, op_sel and neg_lo are for the first product, op_sel_hi and neg_hi for the second.
u32 chosen_half(u32 bits, u32 upper) {
  return upper != 0 ? bits >> 16 : bits & 0xffff;
}
u32 halves(u32 bits, const Instruction& it, int k) {
  return chosen_half(bits, it.op_sel >> k & 1) | chosen_half(bits, it.op_sel_high >> k & 1) << 16;
}
u32 negations(const Instruction& it, int k) {
  return (it.negate >> k & 1) << 15 | static_cast<u32>(it.negate_high >> k & 1) << 31;
}
f32 half(u32 bits) {
  return static_cast<f32>(std::bit_cast<f16>(static_cast<u16>(bits)));
}

const u32* pairs(Wave& wave, const Instruction& it, int k, Lanes32& temporary) {
  const unsigned code = it.source[k];
  if (code < 240 || code > 248) return lanes32(wave, it, code, temporary);
  for (u32& lane : temporary.value) lane = half_constant(code);
  return temporary.value;
}

void dot_of_halves(Wave& wave, const Instruction& it) {
  Lanes32 temporary[2];
  const u32* a = pairs(wave, it, 0, temporary[0]);
  const u32* b = pairs(wave, it, 1, temporary[1]);
  const u32 sign_a = negations(it, 0), sign_b = negations(it, 1);
  Instruction plain = it;
  plain.op_sel = 0;
  const Source<f32> c(Operand{wave, plain, 2});
  Result<f32> result;
  for (int lane = 0; lane < lanes; ++lane) {
    const u32 x = halves(a[lane], it, 0) ^ sign_a, y = halves(b[lane], it, 1) ^ sign_b;
    const f32 upper = std::fma(half(x >> 16), half(y >> 16), c[lane]);
    result.set(lane, with_output_modifiers(std::fma(half(x), half(y), upper), it));
  }
  write_result(wave, it, result);
}

// Integers of `bits`, signed as T is. With clamp the sum stays within T.
template <class T, int bits>
void dot_of_integers(Wave& wave, const Instruction& it) {
  const auto part = [](u32 word, int i) {
    const u32 up = word << (32 - bits - i);
    return i64{static_cast<T>(up) >> (32 - bits)};
  };
  Lanes32 temporary[3];
  const u32* source[3];
  for (int k = 0; k < 3; ++k) source[k] = lanes32(wave, it, it.source[k], temporary[k]);
  Result<T> result;
  for (int lane = 0; lane < lanes; ++lane) {
    u32 x = source[0][lane], y = source[1][lane];
    if constexpr (bits == 16) {
      x = halves(x, it, 0);
      y = halves(y, it, 1);
    }
    i64 sum = static_cast<T>(source[2][lane]);
    for (int i = 0; i < 32; i += bits) sum += part(x, i) * part(y, i);
    result.set(lane, it.clamp != 0 ? held_within<T>(sum) : static_cast<T>(sum));
  }
  write_result(wave, it, result);
}

// The destination is the addend; op_sel does not exist there, and a sign is that of both halves.
template <Handler dot>
void accumulate(Wave& wave, const Instruction& it) {
  Instruction changed = with_addend(it);
  changed.negate_high = it.negate;
  dot(wave, changed);
}

constexpr NamedHandler table[] = {
    {"v_dot2_f32_f16", dot_of_halves},
    {"v_dot2_i32_i16", dot_of_integers<i32, 16>},
    {"v_dot2_u32_u16", dot_of_integers<u32, 16>},
    {"v_dot4_i32_i8", dot_of_integers<i32, 8>},
    {"v_dot4_u32_u8", dot_of_integers<u32, 8>},
    {"v_dot8_i32_i4", dot_of_integers<i32, 4>},
    {"v_dot8_u32_u4", dot_of_integers<u32, 4>},
    {"v_dot2c_f32_f16", accumulate<dot_of_halves>},
    {"v_dot2c_i32_i16", accumulate<dot_of_integers<i32, 16>>},
    {"v_dot4c_i32_i8", accumulate<dot_of_integers<i32, 8>>},
    {"v_dot8c_i32_i4", accumulate<dot_of_integers<i32, 4>>},
};

}  // namespace

std::span<const NamedHandler> dot_handlers() {
  return table;
}

}  // namespace amd_emulator
