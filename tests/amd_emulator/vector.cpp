// SPDX-License-Identifier: Apache-2.0
// 32-bit arithmetic of the lanes, and the integer arithmetic that is wider.
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/lanewise.h"

namespace amd_emulator {
namespace {

// The other operand order of the same operation.
template <auto f>
constexpr auto reversed = [](auto a, auto b) { return f(b, a); };

constexpr auto move = [](u32 a) { return a; };  // v_mov_b32 is among the indexed ones
constexpr auto complement = [](u32 a) { return ~a; };
constexpr auto bit_and = [](u32 a, u32 b) { return a & b; };
constexpr auto bit_or = [](u32 a, u32 b) { return a | b; };
constexpr auto bit_xor = [](u32 a, u32 b) { return a ^ b; };
constexpr auto bit_xnor = [](u32 a, u32 b) { return ~(a ^ b); };
constexpr auto and_or = [](u32 a, u32 b, u32 c) { return (a & b) | c; };
constexpr auto or3 = [](u32 a, u32 b, u32 c) { return a | b | c; };
constexpr auto xor_add = [](u32 a, u32 b, u32 c) { return (a ^ b) + c; };
constexpr auto insert = [](u32 a, u32 b, u32 c) { return (a & b) | (~a & c); };

constexpr auto shift_left = [](u32 by, u32 a) { return a << (by & 31); };
constexpr auto shift_right = [](u32 by, u32 a) { return a >> (by & 31); };
constexpr auto shift_right_signed = [](u32 by, i32 a) { return a >> (by & 31); };
constexpr auto shift_add = [](u32 a, u32 by, u32 c) { return (a << (by & 31)) + c; };
constexpr auto add_shift = [](u32 a, u32 b, u32 by) { return (a + b) << (by & 31); };
constexpr auto shift_or = [](u32 a, u32 by, u32 c) { return (a << (by & 31)) | c; };
constexpr auto shift_left64 = [](u32 by, u64 a) { return a << (by & 63); };
constexpr auto shift_right64 = [](u32 by, u64 a) { return a >> (by & 63); };
constexpr auto shift_right_signed64 = [](u32 by, i64 a) { return a >> (by & 63); };
constexpr auto shift_add64 = [](u64 a, u32 by, u64 c) { return (a << (by & 7)) + c; };
constexpr auto funnel_bits = [](u32 a, u32 b, u32 by) { return low(pair(b, a) >> (by & 31)); };
constexpr auto funnel_bytes = [](u32 a, u32 b, u32 by) {
  return low(pair(b, a) >> (8 * (by & 3)));
};

constexpr auto field = [](u32 a, u32 offset, u32 width) {
  return low((u64{a} >> (offset & 31)) & ((u64{1} << (width & 31)) - 1));
};
constexpr auto field_signed = [](i32 a, u32 offset, u32 width) {
  if ((width & 31) == 0) return 0;
  const i64 wide = static_cast<i64>(a) >> (offset & 31);
  return static_cast<i32>(static_cast<i64>(static_cast<u64>(wide) << (64 - (width & 31))) >>
                          (64 - (width & 31)));
};
constexpr auto mask_of = [](u32 width, u32 offset) {
  return ((1u << (width & 31)) - 1) << (offset & 31);
};
constexpr auto count_ones = [](u32 a, u32 b) { return static_cast<u32>(std::popcount(a)) + b; };

// The bytes of b, then those of a, chosen by the bytes of `selector`: 0 to 7 are bytes, 8 to 11 the signs
// of the four halves, 12 is 0x00, and what is above 0xff.
constexpr auto permute_bytes = [](u32 a, u32 b, u32 selector) {
  const u64 bytes = pair(b, a);
  u32 result = 0;
  for (u32 i = 0; i < 4; ++i) {
    const u32 choice = selector >> (8 * i) & 0xff;
    u32 byte = choice > 12 ? 0xff : 0;
    if (choice < 8) byte = static_cast<u32>(bytes >> (8 * choice)) & 0xff;
    if (choice >= 8 && choice < 12) byte = (bytes >> (16 * (choice - 8) + 15) & 1) != 0 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
};

constexpr auto add = [](auto a, auto b) { return a + b; };
constexpr auto subtract = [](auto a, auto b) { return a - b; };
constexpr auto multiply = [](auto a, auto b) { return a * b; };
constexpr auto add3 = [](u32 a, u32 b, u32 c) { return a + b + c; };
constexpr auto smaller = [](auto a, auto b) { return minimum(a, b); };
constexpr auto larger = [](auto a, auto b) { return maximum(a, b); };
constexpr auto smallest = [](auto a, auto b, auto c) { return minimum(minimum(a, b), c); };
constexpr auto largest = [](auto a, auto b, auto c) { return maximum(maximum(a, b), c); };
constexpr auto middle = [](auto a, auto b, auto c) { return median(a, b, c); };
constexpr auto multiply_high = [](u32 a, u32 b) { return high(u64{a} * b); };
constexpr auto multiply_high_signed = [](i32 a, i32 b) {
  return high(static_cast<u64>(static_cast<i64>(a) * b));
};
constexpr u32 unsigned24(u32 a) {
  return a & 0xffffff;
}
constexpr i32 signed24(i32 a) {
  return static_cast<i32>(static_cast<u32>(a) << 8) >> 8;
}
constexpr u32 low_product(i32 a, i32 b) {
  return static_cast<u32>(a) * static_cast<u32>(b);
}
constexpr auto multiply24 = [](u32 a, u32 b) { return unsigned24(a) * unsigned24(b); };
constexpr auto multiply_high24 = [](u32 a, u32 b) {
  return high(u64{unsigned24(a)} * unsigned24(b));
};
constexpr auto multiply_high24_signed = [](i32 a, i32 b) {
  return high(static_cast<u64>(static_cast<i64>(signed24(a)) * signed24(b)));
};
constexpr auto multiply24_signed = [](i32 a, i32 b) {
  return low_product(signed24(a), signed24(b));
};
constexpr auto multiply_add24 = [](u32 a, u32 b, u32 c) {
  return unsigned24(a) * unsigned24(b) + c;
};
constexpr auto multiply_add24_signed = [](i32 a, i32 b, u32 c) {
  return low_product(signed24(a), signed24(b)) + c;
};
constexpr auto absolute_difference = [](u32 a, u32 b, u32 c) {
  return (a > b ? a - b : b - a) + c;
};
template <int bits, int shift = 0>
constexpr auto sum_of_differences = [](u32 a, u32 b, u32 c) {
  for (int i = 0; i < 32; i += bits) {
    const u32 x = a >> i & ((1u << bits) - 1), y = b >> i & ((1u << bits) - 1);
    c += (x > y ? x - y : y - x) << shift;
  }
  return c;
};
// Bytes of b that are 0 do not count.
constexpr auto masked_sum_of_differences = [](u32 a, u32 b, u32 c) {
  for (int i = 0; i < 32; i += 8) {
    const u32 x = a >> i & 0xff, y = b >> i & 0xff;
    if (y != 0) c += x > y ? x - y : y - x;
  }
  return c;
};

constexpr auto fused = [](f32 a, f32 b, f32 c) { return std::fma(a, b, c); };
// v_mad and v_mac round the product, and know no denormals.
constexpr auto unfused = [](f32 a, f32 b, f32 c) {
  const f32 product = flush_denormal(flush_denormal(a) * flush_denormal(b));
  return flush_denormal(product + flush_denormal(c));
};
constexpr auto multiply_legacy = [](f32 a, f32 b) { return a == 0 || b == 0 ? 0.0f : a * b; };

// The literal k is the third source of …ak and the second of …mk.
template <auto f, bool literal_last>
void with_literal(Wave& wave, const Instruction& it) {
  const Source<f32> a(Operand{wave, it, 0}), b(Operand{wave, it, 1});
  const f32 k = std::bit_cast<f32>(it.literal);
  Result<f32> result;
  for (int lane = 0; lane < lanes; ++lane)
    result.set(lane, literal_last ? f(a[lane], b[lane], k) : f(a[lane], k, b[lane]));
  write_result(wave, it, result);
}
// f(a, b, carry) is 33 bits wide; the top one is the carry, a bit for each lane.
template <auto f, bool carry_in>
void with_carry(Wave& wave, const Instruction& it) {
  const Source<u32> a(Operand{wave, it, 0}), b(Operand{wave, it, 1});
  const u64 in = carry_in ? scalar64(wave, it, it.source[2]) : 0;
  Result<u32> result;
  u8 out[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    const u64 wide = f(u64{a[lane]}, u64{b[lane]}, in >> lane & 1);
    result.set(lane, low(wide));
    out[lane] = wide >> 32 & 1;
  }
  write_scalar64(wave, it.scalar_destination, bits_of(out) & wave.exec);
  write_result(wave, it, result);
}
constexpr auto add_with = [](u64 a, u64 b, u64 carry) { return a + b + carry; };
constexpr auto subtract_with = [](u64 a, u64 b, u64 carry) { return a - b - carry; };
constexpr auto subtract_from_with = [](u64 a, u64 b, u64 carry) { return b - a - carry; };

template <class Integer, class Wide>
void multiply_add_wide(Wave& wave, const Instruction& it) {
  const Source<Integer> a(Operand{wave, it, 0}), b(Operand{wave, it, 1});
  const Source<u64> c(Operand{wave, it, 2});
  Result<u64> result;
  u64 carry = 0;
  for (int lane = 0; lane < lanes; ++lane) {
    const auto product = static_cast<u64>(static_cast<Wide>(a[lane]) * b[lane]);
    result.set(lane, product + c[lane]);
    carry |= u64{product + c[lane] < product} << lane;
  }
  write_scalar64(wave, it.scalar_destination, carry & wave.exec);
  write_result(wave, it, result);
}

// Sign modifiers apply to what is chosen, as to a number.
void choose(Wave& wave, const Instruction& it) {
  const Source<f32> a(Operand{wave, it, 0}), b(Operand{wave, it, 1});
  const u64 condition = scalar64(wave, it, it.source[2]);
  Result<u32> result;
  for (int lane = 0; lane < lanes; ++lane)
    result.set(lane, std::bit_cast<u32>((condition >> lane & 1) != 0 ? b[lane] : a[lane]));
  write_result(wave, it, result);
}

#define FOR_SIGN_AND_FLOAT(name, f)                                                       \
  {name "_i32", lanewise<f, i32, i32, i32>}, {name "_u32", lanewise<f, u32, u32, u32>}, { \
    name "_f32", lanewise<f, f32, f32, f32>                                               \
  }
#define FOR_SIGN_AND_FLOAT3(name, f)                                                              \
  {name "_i32", lanewise<f, i32, i32, i32, i32>}, {name "_u32", lanewise<f, u32, u32, u32, u32>}, \
  {                                                                                               \
    name "_f32", lanewise<f, f32, f32, f32, f32>                                                  \
  }

constexpr NamedHandler table[] = {
    {"v_accvgpr_read_b32", lanewise<move, u32, u32>},
    {"v_accvgpr_write_b32", lanewise<move, u32, u32>},
    {"v_accvgpr_mov_b32", lanewise<move, u32, u32>},
    {"v_mov_b64", lanewise<[](u64 a) { return a; }, u64, u64>},
    {"v_not_b32", lanewise<complement, u32, u32>},
    {"v_and_b32", lanewise<bit_and, u32, u32, u32>},
    {"v_or_b32", lanewise<bit_or, u32, u32, u32>},
    {"v_xor_b32", lanewise<bit_xor, u32, u32, u32>},
    {"v_xnor_b32", lanewise<bit_xnor, u32, u32, u32>},
    {"v_and_or_b32", lanewise<and_or, u32, u32, u32, u32>},
    {"v_or3_b32", lanewise<or3, u32, u32, u32, u32>},
    {"v_xad_u32", lanewise<xor_add, u32, u32, u32, u32>},
    {"v_bfi_b32", lanewise<insert, u32, u32, u32, u32>},
    {"v_bfe_u32", lanewise<field, u32, u32, u32, u32>},
    {"v_bfe_i32", lanewise<field_signed, i32, i32, u32, u32>},
    {"v_bfm_b32", lanewise<mask_of, u32, u32, u32>},
    {"v_bfrev_b32", lanewise<reversed_bits<u32>, u32, u32>},
    {"v_ffbh_u32", lanewise<leading_zeros<u32>, u32, u32>},
    {"v_ffbh_i32", lanewise<leading_signs<i32>, u32, i32>},
    {"v_ffbl_b32", lanewise<first_one<u32>, u32, u32>},
    {"v_bcnt_u32_b32", lanewise<count_ones, u32, u32, u32>},
    {"v_perm_b32", lanewise<permute_bytes, u32, u32, u32, u32>},
    {"v_alignbit_b32", lanewise<funnel_bits, u32, u32, u32, u32>},
    {"v_alignbyte_b32", lanewise<funnel_bytes, u32, u32, u32, u32>},
    {"v_lshlrev_b32", lanewise<shift_left, u32, u32, u32>},
    {"v_lshrrev_b32", lanewise<shift_right, u32, u32, u32>},
    {"v_ashrrev_i32", lanewise<shift_right_signed, i32, u32, i32>},
    {"v_lshl_add_u32", lanewise<shift_add, u32, u32, u32, u32>},
    {"v_add_lshl_u32", lanewise<add_shift, u32, u32, u32, u32>},
    {"v_lshl_or_b32", lanewise<shift_or, u32, u32, u32, u32>},
    {"v_lshlrev_b64", lanewise<shift_left64, u64, u32, u64>},
    {"v_lshrrev_b64", lanewise<shift_right64, u64, u32, u64>},
    {"v_ashrrev_i64", lanewise<shift_right_signed64, i64, u32, i64>},
    {"v_lshl_add_u64", lanewise<shift_add64, u64, u64, u32, u64>},
    {"v_add_u32", wrapped_or_held<add, u32>},
    {"v_sub_u32", wrapped_or_held<subtract, u32>},
    {"v_subrev_u32", wrapped_or_held<reversed<subtract>, u32>},
    {"v_add_i32", wrapped_or_held<add, i32>},
    {"v_sub_i32", wrapped_or_held<subtract, i32>},
    {"v_add3_u32", lanewise<add3, u32, u32, u32, u32>},
    {"v_add_co_u32", with_carry<add_with, false>},
    {"v_sub_co_u32", with_carry<subtract_with, false>},
    {"v_subrev_co_u32", with_carry<subtract_from_with, false>},
    {"v_addc_co_u32", with_carry<add_with, true>},
    {"v_subb_co_u32", with_carry<subtract_with, true>},
    {"v_subbrev_co_u32", with_carry<subtract_from_with, true>},
    {"v_mul_lo_u32", lanewise<multiply, u32, u32, u32>},
    {"v_mul_hi_u32", lanewise<multiply_high, u32, u32, u32>},
    {"v_mul_hi_i32", lanewise<multiply_high_signed, u32, i32, i32>},
    {"v_mul_u32_u24", lanewise<multiply24, u32, u32, u32>},
    {"v_mul_hi_u32_u24", lanewise<multiply_high24, u32, u32, u32>},
    {"v_mul_hi_i32_i24", lanewise<multiply_high24_signed, u32, i32, i32>},
    {"v_mul_i32_i24", lanewise<multiply24_signed, u32, i32, i32>},
    {"v_mad_u32_u24", lanewise<multiply_add24, u32, u32, u32, u32>},
    {"v_mad_i32_i24", lanewise<multiply_add24_signed, u32, i32, i32, u32>},
    {"v_mad_u64_u32", multiply_add_wide<u32, u64>},
    {"v_mad_i64_i32", multiply_add_wide<i32, i64>},
    {"v_sad_u32", lanewise<absolute_difference, u32, u32, u32, u32>},
    {"v_sad_u16", lanewise<sum_of_differences<16>, u32, u32, u32, u32>},
    {"v_sad_u8", lanewise<sum_of_differences<8>, u32, u32, u32, u32>},
    {"v_sad_hi_u8", lanewise<sum_of_differences<8, 16>, u32, u32, u32, u32>},
    {"v_msad_u8", lanewise<masked_sum_of_differences, u32, u32, u32, u32>},
    {"v_cndmask_b32", choose},
    FOR_SIGN_AND_FLOAT("v_min", smaller),
    FOR_SIGN_AND_FLOAT("v_max", larger),
    FOR_SIGN_AND_FLOAT3("v_min3", smallest),
    FOR_SIGN_AND_FLOAT3("v_max3", largest),
    FOR_SIGN_AND_FLOAT3("v_med3", middle),
    {"v_add_f32", lanewise<add, f32, f32, f32>},
    {"v_sub_f32", lanewise<subtract, f32, f32, f32>},
    {"v_subrev_f32", lanewise<reversed<subtract>, f32, f32, f32>},
    {"v_mul_f32", lanewise<multiply, f32, f32, f32>},
    {"v_mul_legacy_f32", lanewise<multiply_legacy, f32, f32, f32>},
    {"v_fma_f32", lanewise<fused, f32, f32, f32, f32>},
    {"v_fmac_f32", accumulate<fused, f32>},
    {"v_fmaak_f32", with_literal<fused, true>},
    {"v_fmamk_f32", with_literal<fused, false>},
    {"v_mad_f32", lanewise<unfused, f32, f32, f32, f32>},
    {"v_mac_f32", accumulate<unfused, f32>},
    {"v_madak_f32", with_literal<unfused, true>},
    {"v_madmk_f32", with_literal<unfused, false>},
};

}  // namespace

void unknown_clamp() {
  throw Fault("clamp and omod of integers are not emulated");
}
void unknown_operand(unsigned code) {
  throw Fault("operand " + std::to_string(code) + " is not emulated");
}

std::span<const NamedHandler> vector_handlers() {
  return table;
}

}  // namespace amd_emulator
