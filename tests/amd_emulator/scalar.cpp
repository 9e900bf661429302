// SPDX-License-Identifier: Apache-2.0
// Scalar arithmetic. A function gets its operands and scc, which it may change, and gives the result.
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/numbers.h"
#include "tests/amd_emulator/operands.h"

namespace amd_emulator {
namespace {

template <class T>
T source(const Wave& wave, const Instruction& it, int k) {
  if constexpr (sizeof(T) == 8)
    return static_cast<T>(scalar64(wave, it, it.source[k],
                                   std::is_signed_v<T> ? Literal::sign_extended : Literal::low));
  else
    return static_cast<T>(scalar32(wave, it, it.source[k]));
}
template <class T>
void write(Wave& wave, const Instruction& it, T value) {
  if constexpr (sizeof(T) == 8)
    write_scalar64(wave, it.destination, static_cast<u64>(value));
  else
    write_scalar32(wave, it.destination, static_cast<u32>(value));
}

// f(a, b, scc), for the types that f declares.
template <auto f, class D, class A, class B>
void binary(Wave& wave, const Instruction& it) {
  u32 scc = wave.scc;
  const D result = f(source<A>(wave, it, 0), source<B>(wave, it, 1), scc);
  write<D>(wave, it, result);
  wave.scc = scc;
}
template <auto f, class D, class A>
void unary(Wave& wave, const Instruction& it) {
  u32 scc = wave.scc;
  const D result = f(source<A>(wave, it, 0), scc);
  write<D>(wave, it, result);
  wave.scc = scc;
}
template <auto f, class T>
void compare(Wave& wave, const Instruction& it) {
  wave.scc = f(source<T>(wave, it, 0), source<T>(wave, it, 1));
}
// With simm16, signed or not as T is.
template <auto f, class T>
void compare_immediate(Wave& wave, const Instruction& it) {
  const auto immediate = std::is_signed_v<T> ? static_cast<T>(it.immediate)
                                             : static_cast<T>(static_cast<u16>(it.immediate));
  wave.scc = f(static_cast<T>(wave.s[it.destination]), immediate);
}

template <class T, auto f>
constexpr T logical(T a, T b, u32& scc) {
  const T result = f(a, b);
  scc = result != 0;
  return result;
}
template <class T>
constexpr T bit_and(T a, T b) {
  return a & b;
}
template <class T>
constexpr T bit_or(T a, T b) {
  return a | b;
}
template <class T>
constexpr T bit_xor(T a, T b) {
  return a ^ b;
}
template <class T>
constexpr T and_not(T a, T b) {
  return a & ~b;
}
template <class T>
constexpr T or_not(T a, T b) {
  return a | ~b;
}
template <class T>
constexpr T bit_nand(T a, T b) {
  return ~(a & b);
}
template <class T>
constexpr T bit_nor(T a, T b) {
  return ~(a | b);
}
template <class T>
constexpr T bit_xnor(T a, T b) {
  return ~(a ^ b);
}

constexpr bool overflows(u32 a, u32 b, u32 sum) {
  return ((a ^ sum) & (b ^ sum)) >> 31 != 0;
}
constexpr u32 add_carry(u32 a, u32 b, u32& scc) {
  const u64 sum = static_cast<u64>(a) + b + scc;
  scc = high(sum);
  return low(sum);
}
constexpr u32 subtract_borrow(u32 a, u32 b, u32& scc) {
  const u64 difference = static_cast<u64>(a) - b - scc;
  scc = high(difference) & 1;
  return low(difference);
}
constexpr u32 add_signed(u32 a, u32 b, u32& scc) {
  const u32 sum = a + b;
  scc = overflows(a, b, sum);
  return sum;
}
template <int shift>
constexpr u32 shift_add(u32 a, u32 b, u32& scc) {
  const u64 sum = (static_cast<u64>(a) << shift) + b;
  scc = high(sum) != 0;
  return low(sum);
}
template <class T>
constexpr T smaller(T a, T b, u32& scc) {
  scc = a < b;
  return scc ? a : b;
}
template <class T>
constexpr T larger(T a, T b, u32& scc) {
  scc = a > b;
  return scc ? a : b;
}

// The field of `b`: its offset in the low bits, its width from bit 16 on.
template <class T>
constexpr T field(T a, u32 b, u32& scc) {
  constexpr u32 bits = 8 * sizeof(T);
  const u32 offset = b % bits, width = (b >> 16) & 0x7f;
  T result = 0;
  if (width != 0) {
    const u32 kept = width < bits - offset ? width : bits - offset;
    using U = std::make_unsigned_t<T>;
    const U up = static_cast<U>(static_cast<U>(a) << (bits - offset - kept));
    result = static_cast<T>(static_cast<T>(up) >> (bits - kept));
  }
  scc = result != 0;
  return result;
}
template <class T>
constexpr T mask_of(u32 width, u32 offset, u32&) {
  constexpr u32 bits = 8 * sizeof(T);
  return static_cast<T>(((T{1} << (width % bits)) - 1) << (offset % bits));
}

// A function that leaves scc alone.
template <auto f>
constexpr auto plain = [](auto a, u32&) { return f(a); };
template <class T>
constexpr u32 count_ones(T x, u32& scc) {
  const auto count = static_cast<u32>(std::popcount(x));
  scc = count != 0;
  return count;
}
template <class T>
void set_bit(Wave& wave, const Instruction& it) {
  const u32 bit = source<u32>(wave, it, 0) % (8 * sizeof(T));
  if constexpr (sizeof(T) == 8)
    write<T>(wave, it, pair(wave.s[it.destination], wave.s[it.destination + 1]) | T{1} << bit);
  else
    write<T>(wave, it, wave.s[it.destination] | T{1} << bit);
}
template <class T>
void clear_bit(Wave& wave, const Instruction& it) {
  const u32 bit = source<u32>(wave, it, 0) % (8 * sizeof(T));
  if constexpr (sizeof(T) == 8)
    write<T>(wave, it, pair(wave.s[it.destination], wave.s[it.destination + 1]) & ~(T{1} << bit));
  else
    write<T>(wave, it, wave.s[it.destination] & ~(T{1} << bit));
}
template <class T>
void move_if(Wave& wave, const Instruction& it) {
  if (wave.scc != 0) write<T>(wave, it, source<T>(wave, it, 0));
}

void move_immediate(Wave& wave, const Instruction& it) {
  write<u32>(wave, it, static_cast<u32>(it.immediate));
}
void move_immediate_if(Wave& wave, const Instruction& it) {
  if (wave.scc != 0) move_immediate(wave, it);
}
void add_immediate(Wave& wave, const Instruction& it) {
  write<u32>(wave, it,
             add_signed(wave.s[it.destination], static_cast<u32>(it.immediate), wave.scc));
}
void multiply_immediate(Wave& wave, const Instruction& it) {
  write<u32>(wave, it, wave.s[it.destination] * static_cast<u32>(it.immediate));
}

template <class T>
constexpr T move(T a, u32&) {
  return a;
}
template <class T>
constexpr T select(T a, T b, u32& scc) {
  return scc ? a : b;
}
template <class T>
constexpr T complement(T a, u32& scc) {
  scc = static_cast<T>(~a) != 0;
  return static_cast<T>(~a);
}
template <class T>
constexpr T shift_left(T a, u32 b, u32& scc) {
  const T result = static_cast<T>(a << (b % (8 * sizeof(T))));
  scc = result != 0;
  return result;
}
template <class T>
constexpr T shift_right(T a, u32 b, u32& scc) {
  const T result = static_cast<T>(a >> (b % (8 * sizeof(T))));
  scc = result != 0;
  return result;
}

constexpr auto equal = [](auto a, auto b) { return a == b; };
constexpr auto different = [](auto a, auto b) { return a != b; };
constexpr auto greater = [](auto a, auto b) { return a > b; };
constexpr auto greater_equal = [](auto a, auto b) { return a >= b; };
constexpr auto less = [](auto a, auto b) { return a < b; };
constexpr auto less_equal = [](auto a, auto b) { return a <= b; };

template <class T>
void test_bit(Wave& wave, const Instruction& it) {
  wave.scc = source<T>(wave, it, 0) >> (source<u32>(wave, it, 1) % (8 * sizeof(T))) & 1;
}
template <class T>
void test_bit_clear(Wave& wave, const Instruction& it) {
  test_bit<T>(wave, it);
  wave.scc ^= 1;
}

#define BOTH_WIDTHS(name, f)                                    \
  {name "_b32", binary<logical<u32, f<u32>>, u32, u32, u32>}, { \
    name "_b64", binary<logical<u64, f<u64>>, u64, u64, u64>    \
  }
#define COMPARISONS(type, T)                                                                  \
  {"s_cmp_eq_" type, compare<equal, T>}, {"s_cmp_lg_" type, compare<different, T>},           \
      {"s_cmp_gt_" type, compare<greater, T>}, {"s_cmp_ge_" type, compare<greater_equal, T>}, \
      {"s_cmp_lt_" type, compare<less, T>}, {"s_cmp_le_" type, compare<less_equal, T>},       \
      {"s_cmpk_eq_" type, compare_immediate<equal, T>},                                       \
      {"s_cmpk_lg_" type, compare_immediate<different, T>},                                   \
      {"s_cmpk_gt_" type, compare_immediate<greater, T>},                                     \
      {"s_cmpk_ge_" type, compare_immediate<greater_equal, T>},                               \
      {"s_cmpk_lt_" type, compare_immediate<less, T>}, {                                      \
    "s_cmpk_le_" type, compare_immediate<less_equal, T>                                       \
  }

constexpr auto multiply = [](u32 a, u32 b, u32&) { return a * b; };
constexpr auto multiply_high = [](u32 a, u32 b, u32&) { return high(static_cast<u64>(a) * b); };
constexpr auto multiply_high_signed = [](i32 a, i32 b, u32&) {
  return high(static_cast<u64>(static_cast<i64>(a) * b));
};
constexpr auto add = [](u32 a, u32 b, u32& scc) { return add_carry(a, b, scc = 0); };
constexpr auto subtract = [](u32 a, u32 b, u32& scc) { return subtract_borrow(a, b, scc = 0); };
constexpr auto subtract_signed = [](u32 a, u32 b, u32& scc) {
  scc = overflows(a, ~b, a - b);
  return a - b;
};
constexpr auto difference = [](u32 a, u32 b, u32& scc) {  // of what wraps at 32 bits
  scc = a != b;
  return static_cast<i32>(a - b) < 0 ? b - a : a - b;
};
constexpr auto magnitude = [](i32 a, u32& scc) {
  scc = a != 0;
  return a < 0 ? 0u - static_cast<u32>(a) : static_cast<u32>(a);
};
constexpr auto pack_low_low = [](u32 a, u32 b, u32&) { return (a & 0xffff) | b << 16; };
constexpr auto pack_low_high = [](u32 a, u32 b, u32&) { return (a & 0xffff) | (b & ~0xffffu); };
constexpr auto pack_high_high = [](u32 a, u32 b, u32&) { return a >> 16 | (b & ~0xffffu); };
constexpr auto extend8 = [](u32 a, u32&) { return static_cast<i32>(static_cast<i8>(a)); };
constexpr auto extend16 = [](u32 a, u32&) { return static_cast<i32>(static_cast<i16>(a)); };

template <auto f>
constexpr auto of_complement = [](auto a, u32& scc) { return f(~a, scc); };

constexpr NamedHandler table[] = {
    BOTH_WIDTHS("s_and", bit_and),
    BOTH_WIDTHS("s_or", bit_or),
    BOTH_WIDTHS("s_xor", bit_xor),
    BOTH_WIDTHS("s_andn2", and_not),
    BOTH_WIDTHS("s_orn2", or_not),
    BOTH_WIDTHS("s_nand", bit_nand),
    BOTH_WIDTHS("s_nor", bit_nor),
    BOTH_WIDTHS("s_xnor", bit_xnor),
    COMPARISONS("i32", i32),
    COMPARISONS("u32", u32),
    {"s_cmp_eq_u64", compare<equal, u64>},
    {"s_cmp_lg_u64", compare<different, u64>},
    {"s_bitcmp0_b32", test_bit_clear<u32>},
    {"s_bitcmp1_b32", test_bit<u32>},
    {"s_bitcmp0_b64", test_bit_clear<u64>},
    {"s_bitcmp1_b64", test_bit<u64>},
    {"s_add_u32", binary<add, u32, u32, u32>},
    {"s_addc_u32", binary<add_carry, u32, u32, u32>},
    {"s_sub_u32", binary<subtract, u32, u32, u32>},
    {"s_subb_u32", binary<subtract_borrow, u32, u32, u32>},
    {"s_add_i32", binary<add_signed, u32, u32, u32>},
    {"s_sub_i32", binary<subtract_signed, u32, u32, u32>},
    {"s_absdiff_i32", binary<difference, u32, u32, u32>},
    {"s_abs_i32", unary<magnitude, u32, i32>},
    {"s_min_i32", binary<smaller<i32>, i32, i32, i32>},
    {"s_min_u32", binary<smaller<u32>, u32, u32, u32>},
    {"s_max_i32", binary<larger<i32>, i32, i32, i32>},
    {"s_max_u32", binary<larger<u32>, u32, u32, u32>},
    {"s_mul_i32", binary<multiply, u32, u32, u32>},
    {"s_mul_hi_u32", binary<multiply_high, u32, u32, u32>},
    {"s_mul_hi_i32", binary<multiply_high_signed, u32, i32, i32>},
    {"s_lshl1_add_u32", binary<shift_add<1>, u32, u32, u32>},
    {"s_lshl2_add_u32", binary<shift_add<2>, u32, u32, u32>},
    {"s_lshl3_add_u32", binary<shift_add<3>, u32, u32, u32>},
    {"s_lshl4_add_u32", binary<shift_add<4>, u32, u32, u32>},
    {"s_lshl_b32", binary<shift_left<u32>, u32, u32, u32>},
    {"s_lshl_b64", binary<shift_left<u64>, u64, u64, u32>},
    {"s_lshr_b32", binary<shift_right<u32>, u32, u32, u32>},
    {"s_lshr_b64", binary<shift_right<u64>, u64, u64, u32>},
    {"s_ashr_i32", binary<shift_right<i32>, i32, i32, u32>},
    {"s_ashr_i64", binary<shift_right<i64>, i64, i64, u32>},
    {"s_bfe_u32", binary<field<u32>, u32, u32, u32>},
    {"s_bfe_i32", binary<field<i32>, i32, i32, u32>},
    {"s_bfe_u64", binary<field<u64>, u64, u64, u32>},
    {"s_bfe_i64", binary<field<i64>, i64, i64, u32>},
    {"s_bfm_b32", binary<mask_of<u32>, u32, u32, u32>},
    {"s_bfm_b64", binary<mask_of<u64>, u64, u32, u32>},
    {"s_cselect_b32", binary<select<u32>, u32, u32, u32>},
    {"s_cselect_b64", binary<select<u64>, u64, u64, u64>},
    {"s_pack_ll_b32_b16", binary<pack_low_low, u32, u32, u32>},
    {"s_pack_lh_b32_b16", binary<pack_low_high, u32, u32, u32>},
    {"s_pack_hh_b32_b16", binary<pack_high_high, u32, u32, u32>},
    {"s_mov_b32", unary<move<u32>, u32, u32>},
    {"s_mov_b64", unary<move<u64>, u64, u64>},
    {"s_cmov_b32", move_if<u32>},
    {"s_cmov_b64", move_if<u64>},
    {"s_movk_i32", move_immediate},
    {"s_cmovk_i32", move_immediate_if},
    {"s_addk_i32", add_immediate},
    {"s_mulk_i32", multiply_immediate},
    {"s_not_b32", unary<complement<u32>, u32, u32>},
    {"s_not_b64", unary<complement<u64>, u64, u64>},
    {"s_brev_b32", unary<plain<reversed_bits<u32>>, u32, u32>},
    {"s_brev_b64", unary<plain<reversed_bits<u64>>, u64, u64>},
    {"s_bcnt1_i32_b32", unary<count_ones<u32>, u32, u32>},
    {"s_bcnt1_i32_b64", unary<count_ones<u64>, u32, u64>},
    {"s_bcnt0_i32_b32", unary<of_complement<count_ones<u32>>, u32, u32>},
    {"s_bcnt0_i32_b64", unary<of_complement<count_ones<u64>>, u32, u64>},
    {"s_ff0_i32_b32", unary<of_complement<plain<first_one<u32>>>, u32, u32>},
    {"s_ff0_i32_b64", unary<of_complement<plain<first_one<u64>>>, u32, u64>},
    {"s_ff1_i32_b32", unary<plain<first_one<u32>>, u32, u32>},
    {"s_ff1_i32_b64", unary<plain<first_one<u64>>, u32, u64>},
    {"s_flbit_i32_b32", unary<plain<leading_zeros<u32>>, u32, u32>},
    {"s_flbit_i32_b64", unary<plain<leading_zeros<u64>>, u32, u64>},
    {"s_flbit_i32", unary<plain<leading_signs<i32>>, u32, i32>},
    {"s_flbit_i32_i64", unary<plain<leading_signs<i64>>, u32, i64>},
    {"s_sext_i32_i8", unary<extend8, i32, u32>},
    {"s_sext_i32_i16", unary<extend16, i32, u32>},
    {"s_bitset0_b32", clear_bit<u32>},
    {"s_bitset0_b64", clear_bit<u64>},
    {"s_bitset1_b32", set_bit<u32>},
    {"s_bitset1_b64", set_bit<u64>},
};

}  // namespace

std::span<const NamedHandler> scalar_handlers() {
  return table;
}

}  // namespace amd_emulator
