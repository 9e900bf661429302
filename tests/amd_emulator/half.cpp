// SPDX-License-Identifier: Apache-2.0
// Arithmetic of 16-bit numbers, and of pairs of numbers.
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/lanewise.h"

namespace amd_emulator {
namespace {

template <auto f>
constexpr auto reversed = [](auto a, auto b) { return f(b, a); };

// Integers of 16 bits are computed in 32 and cut back.
constexpr auto add = [](auto a, auto b) { return static_cast<decltype(a)>(a + b); };
constexpr auto subtract = [](auto a, auto b) { return static_cast<decltype(a)>(a - b); };
constexpr auto multiply = [](auto a, auto b) {
  if constexpr (is_float<decltype(a)> || sizeof(a) == 8)
    return static_cast<decltype(a)>(a * b);
  else
    return static_cast<decltype(a)>(static_cast<u32>(a) * static_cast<u32>(b));
};
constexpr auto multiply_add = [](auto a, auto b, auto c) { return add(multiply(a, b), c); };
constexpr auto multiply_add_wide = [](auto a, auto b, u32 c) {
  return static_cast<u32>(a) * static_cast<u32>(b) + c;
};
constexpr auto fused = [](auto a, auto b, auto c) { return fused_multiply_add(a, b, c); };
constexpr auto smaller = [](auto a, auto b) { return minimum(a, b); };
constexpr auto larger = [](auto a, auto b) { return maximum(a, b); };
constexpr auto smallest = [](auto a, auto b, auto c) { return minimum(minimum(a, b), c); };
constexpr auto largest = [](auto a, auto b, auto c) { return maximum(maximum(a, b), c); };
constexpr auto middle = [](auto a, auto b, auto c) { return median(a, b, c); };
constexpr auto shift_left = [](auto by, auto a) {
  return static_cast<decltype(a)>(a << (by & 15));
};
constexpr auto shift_right = [](auto by, auto a) {
  return static_cast<decltype(a)>(a >> (by & 15));
};

// As numbers, since their signs can be changed.
constexpr auto pack = [](f16 a, f16 b) {
  return std::bit_cast<u16>(a) | static_cast<u32>(std::bit_cast<u16>(b)) << 16;
};

// A source of a packed instruction as numbers for one half of the result: op_sel and op_sel_hi say from
// which half or, of pairs of f32, from which register it comes; neg and neg_hi change its sign.
template <class T>
struct PackedSource {
  PackedSource(Wave& wave, const Instruction& it, int k, bool upper) {
    const u32 chosen = (upper ? it.op_sel_high : it.op_sel) >> k & 1;
    const bool negated = is_float<T> && ((upper ? it.negate_high : it.negate) >> k & 1) != 0;
    const u32 code = it.source[k];
    const u32 register_code =
        sizeof(T) == 4 && (is_vector(code) || code < 128) ? code + chosen : code;
    Lanes32 temporary;
    const u32* raw = lanes32(wave, it, register_code, temporary);
    const u32 shift = sizeof(T) == 2 ? 16 * chosen : 0;
    const BitsOf<T> sign = negated ? sign_bit<T> : BitsOf<T>{0};
    const bool constant = sizeof(T) == 2 && is_float<T> && code >= 240 && code <= 248;
    for (int lane = 0; lane < lanes; ++lane) {
      u32 bits = raw[lane] >> shift;
      if (constant) bits = chosen != 0 ? 0 : half_constant(code);
      value[lane] = std::bit_cast<T>(static_cast<BitsOf<T>>(static_cast<BitsOf<T>>(bits) ^ sign));
    }
  }
  T value[lanes];
};

// f with clamp: of floating point into [0, 1], of integers from the exact result into their type.
template <auto f, class T, class... S>
T clamped(const Instruction& it, T a, S... others) {
  if constexpr (is_float<T>)
    return with_output_modifiers(f(a, others...), it);
  else
    return it.clamp != 0 ? held_within<T>(f(i64{a}, i64{others}...)) : f(a, others...);
}

template <auto f, class T, int sources>
void packed(Wave& wave, const Instruction& it) {
  T result[2][lanes];
  for (const bool upper : {false, true}) {
    const PackedSource<T> a(wave, it, 0, upper), b(wave, it, 1, upper);
    if constexpr (sources == 3) {
      const PackedSource<T> c(wave, it, 2, upper);
      for (int lane = 0; lane < lanes; ++lane)
        result[upper][lane] = clamped<f>(it, a.value[lane], b.value[lane], c.value[lane]);
    } else {
      for (int lane = 0; lane < lanes; ++lane)
        result[upper][lane] = clamped<f>(it, a.value[lane], b.value[lane]);
    }
  }
  Lanes32 low_bits, high_bits;
  for (int lane = 0; lane < lanes; ++lane) {
    low_bits.value[lane] = std::bit_cast<BitsOf<T>>(result[0][lane]);
    high_bits.value[lane] = std::bit_cast<BitsOf<T>>(result[1][lane]);
    if constexpr (sizeof(T) == 2) low_bits.value[lane] |= high_bits.value[lane] << 16;
  }
  write_lanes(wave, it.destination, low_bits);
  if constexpr (sizeof(T) == 4) write_lanes(wave, it.destination + 1, high_bits);
}

// The destination is the addend. In VOP2 nothing chooses other halves than each its own.
void packed_accumulate(Wave& wave, const Instruction& it) {
  Instruction changed = with_addend(it);
  changed.negate_high = it.negate;
  packed<fused, f16, 3>(wave, changed);
}

// Two registers, each chosen by op_sel from a pair.
void packed_move(Wave& wave, const Instruction& it) {
  Lanes32 result[2];
  for (int k = 0; k < 2; ++k) {
    const u32 code = it.source[k], chosen = it.op_sel >> k & 1;
    const bool in_registers = is_vector(code) || code < 128;
    Lanes32 temporary;
    std::memcpy(result[k].value, lanes32(wave, it, in_registers ? code + chosen : code, temporary),
                sizeof(temporary));
  }
  write_lanes(wave, it.destination, result[0]);
  write_lanes(wave, it.destination + 1, result[1]);
}

// A source of v_fma_mix: f32, or where op_sel_hi says so the half of a register that op_sel chooses.
f32 mixed(u32 bits, const Instruction& it, int k) {
  f32 x = std::bit_cast<f32>(bits);
  const u32 code = it.source[k], upper = it.op_sel >> k & 1;
  if ((it.op_sel_high >> k & 1) != 0) {
    const bool constant = code >= 240 && code <= 248;
    const u32 half = constant     ? upper != 0 ? 0 : half_constant(code)
                         : upper != 0 ? bits >> 16
                                  : bits;
    x = std::bit_cast<f16>(static_cast<u16>(half));
  }
  if ((it.absolute >> k & 1) != 0) x = std::fabs(x);
  return (it.negate >> k & 1) != 0 ? -x : x;
}
enum class Mixed : u8 { single, low_half, high_half };

template <Mixed to>
void multiply_add_mixed(Wave& wave, const Instruction& it) {
  Lanes32 temporary[3], result;
  const u32* source[3];
  for (int k = 0; k < 3; ++k) source[k] = lanes32(wave, it, it.source[k], temporary[k]);
  const u32* old = wave.v[it.destination];
  for (int lane = 0; lane < lanes; ++lane) {
    const f32 sum = std::fma(mixed(source[0][lane], it, 0), mixed(source[1][lane], it, 1),
                             mixed(source[2][lane], it, 2));
    const f32 x = it.clamp != 0 ? with_output_modifiers(sum, it) : sum;
    const u32 half = std::bit_cast<u16>(static_cast<f16>(x));
    result.value[lane] = to == Mixed::single     ? std::bit_cast<u32>(x)
                         : to == Mixed::low_half ? (old[lane] & ~0xffffu) | half
                                                 : (old[lane] & 0xffff) | half << 16;
  }
  write_lanes(wave, it.destination, result);
}

#define FOR_SIXTEEN_BITS(name, f)                                                         \
  {name "_f16", lanewise<f, f16, f16, f16>}, {name "_i16", lanewise<f, i16, i16, i16>}, { \
    name "_u16", lanewise<f, u16, u16, u16>                                               \
  }
#define FOR_SIXTEEN_BITS3(name, f)                              \
  {name "_f16", lanewise_in_half<f, f16, f16, f16, f16>},       \
      {name "_i16", lanewise_in_half<f, i16, i16, i16, i16>}, { \
    name "_u16", lanewise_in_half<f, u16, u16, u16, u16>        \
  }
#define PACKED(name, f)                                                 \
  {name "_f16", packed<f, f16, 2>}, {name "_i16", packed<f, i16, 2>}, { \
    name "_u16", packed<f, u16, 2>                                      \
  }

constexpr NamedHandler table[] = {
    {"v_add_f16", lanewise<add, f16, f16, f16>},
    {"v_sub_f16", lanewise<subtract, f16, f16, f16>},
    {"v_subrev_f16", lanewise<reversed<subtract>, f16, f16, f16>},
    {"v_mul_f16", lanewise<multiply, f16, f16, f16>},
    {"v_fma_f16", lanewise_in_half<fused, f16, f16, f16, f16>},
    {"v_fma_legacy_f16", lanewise<fused, f16, f16, f16, f16>},
    {"v_add_u16", wrapped_or_held<add, u16>},
    {"v_sub_u16", wrapped_or_held<subtract, u16>},
    {"v_subrev_u16", wrapped_or_held<reversed<subtract>, u16>},
    {"v_add_i16", wrapped_or_held<add, i16, OtherHalf::kept>},
    {"v_sub_i16", wrapped_or_held<subtract, i16, OtherHalf::kept>},
    {"v_mul_lo_u16", lanewise<multiply, u16, u16, u16>},
    {"v_mad_u16", lanewise_in_half<multiply_add, u16, u16, u16, u16>},
    {"v_mad_i16", lanewise_in_half<multiply_add, i16, i16, i16, i16>},
    {"v_mad_u32_u16", lanewise<multiply_add_wide, u32, u16, u16, u32>},
    {"v_mad_i32_i16", lanewise<multiply_add_wide, u32, i16, i16, u32>},
    {"v_mad_legacy_u16", lanewise<multiply_add, u16, u16, u16, u16>},
    {"v_mad_legacy_i16", lanewise<multiply_add, i16, i16, i16, i16>},
    {"v_lshlrev_b16", lanewise<shift_left, u16, u16, u16>},
    {"v_lshrrev_b16", lanewise<shift_right, u16, u16, u16>},
    {"v_ashrrev_i16", lanewise<shift_right, i16, u16, i16>},
    FOR_SIXTEEN_BITS("v_min", smaller),
    FOR_SIXTEEN_BITS("v_max", larger),
    FOR_SIXTEEN_BITS3("v_min3", smallest),
    FOR_SIXTEEN_BITS3("v_max3", largest),
    FOR_SIXTEEN_BITS3("v_med3", middle),
    {"v_pack_b32_f16", lanewise<pack, u32, f16, f16>},
    {"v_pk_add_f16", packed<add, f16, 2>},
    {"v_pk_mul_f16", packed<multiply, f16, 2>},
    {"v_pk_fma_f16", packed<fused, f16, 3>},
    {"v_pk_fmac_f16", packed_accumulate},
    {"v_pk_add_i16", packed<add, i16, 2>},
    {"v_pk_add_u16", packed<add, u16, 2>},
    {"v_pk_sub_i16", packed<subtract, i16, 2>},
    {"v_pk_sub_u16", packed<subtract, u16, 2>},
    {"v_pk_mul_lo_u16", packed<multiply, u16, 2>},
    {"v_pk_mad_i16", packed<multiply_add, i16, 3>},
    {"v_pk_mad_u16", packed<multiply_add, u16, 3>},
    {"v_pk_lshlrev_b16", packed<shift_left, u16, 2>},
    {"v_pk_lshrrev_b16", packed<shift_right, u16, 2>},
    {"v_pk_ashrrev_i16", packed<shift_right, i16, 2>},
    PACKED("v_pk_min", smaller),
    PACKED("v_pk_max", larger),
    {"v_pk_add_f32", packed<add, f32, 2>},
    {"v_pk_mul_f32", packed<multiply, f32, 2>},
    {"v_pk_fma_f32", packed<fused, f32, 3>},
    {"v_pk_mov_b32", packed_move},
    {"v_fma_mix_f32", multiply_add_mixed<Mixed::single>},
    {"v_fma_mixlo_f16", multiply_add_mixed<Mixed::low_half>},
    {"v_fma_mixhi_f16", multiply_add_mixed<Mixed::high_half>},
};

}  // namespace

std::span<const NamedHandler> half_handlers() {
  return table;
}

}  // namespace amd_emulator
