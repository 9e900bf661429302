// SPDX-License-Identifier: Apache-2.0
// Scalar and vector integers of the emulated AMD GPUs, against C++ that knows nothing of them.
#include <bitset>
#include <cmath>
#include <limits>

#include "tests/amd_machine.h"

namespace amd_emulator {
namespace {

// Bit by bit, as one would on paper.
u64 bits_from(u64 x, int offset, int width) {
  u64 result = 0;
  for (int i = 0; i < width && offset + i < 64; ++i) result |= (x >> (offset + i) & 1) << i;
  return result;
}

}  // namespace

TEST_CASE("Scalar arithmetic carries, overflows and compares into scc") {
  Machine m;
  CHECK(m.scalar<u32>("s_add_u32", 0xffffffffu, 2u) == 1);
  CHECK(m.wave->scc == 1);
  CHECK(m.scalar<u32>("s_addc_u32", 5u, 6u) == 12);
  CHECK(m.wave->scc == 0);
  CHECK(m.scalar<u32>("s_sub_u32", 3u, 5u) == 0xfffffffe);
  CHECK(m.wave->scc == 1);
  CHECK(m.scalar<u32>("s_subb_u32", 10u, 4u) == 5);
  CHECK(m.scalar<i32>("s_add_i32", 0x7fffffff, 1) == std::numeric_limits<i32>::min());
  CHECK(m.wave->scc == 1);
  CHECK(m.scalar<i32>("s_sub_i32", 5, 7) == -2);
  CHECK(m.wave->scc == 0);
  CHECK(m.scalar<u32>("s_mul_hi_u32", 0x80000000u, 6u) == 3);
  CHECK(m.scalar<i32>("s_mul_hi_i32", -5, 7) == -1);
  CHECK(m.scalar<i32>("s_min_i32", -5, 7) == -5);
  CHECK(m.wave->scc == 1);
  CHECK(m.scalar<u32>("s_max_u32", 5u, 7u) == 7);
  CHECK(m.wave->scc == 0);
  CHECK(m.scalar<u32>("s_absdiff_i32", 2, 5) == 3);
  CHECK(m.scalar<u32>("s_absdiff_i32", 0x80000000u, 0u) == 0x80000000);
  CHECK(m.scalar<u32>("s_absdiff_i32", 0x80000000u, 1u) == 0x7fffffff);
  CHECK(m.scalar<u32>("s_absdiff_i32", 0x80000000u, 0xffffffffu) == 0x7fffffff);
  CHECK(m.scalar<u32>("s_lshl3_add_u32", 0x20000000u, 9u) == 9);
  CHECK(m.wave->scc == 1);
}

TEST_CASE("Scalar shifts, fields and counts agree with bits counted one by one") {
  Machine m;
  std::mt19937_64 generator(1);
  for (int i = 0; i < 500; ++i) {
    const u64 x = generator();
    const u32 offset = generator() % 64, width = generator() % 65;
    const u64 field = bits_from(x, static_cast<int>(offset), static_cast<int>(width));
    INFO(x << ' ' << offset << ' ' << width);
    CHECK(m.scalar<u64>("s_bfe_u64", x, offset | width << 16) == field);
    if (offset < 32 && width <= 32 && offset + width <= 32)
      CHECK(m.scalar<u32>("s_bfe_u32", low(x), offset | width << 16) ==
            bits_from(low(x), static_cast<int>(offset), static_cast<int>(width)));
    CHECK(m.scalar<u64>("s_lshl_b64", x, offset) == x << offset);
    CHECK(m.scalar<i64>("s_ashr_i64", static_cast<i64>(x), offset) ==
          static_cast<i64>(std::floor(std::ldexp(static_cast<long double>(static_cast<i64>(x)),
                                                 -static_cast<int>(offset)))));
    CHECK(m.scalar<u32>("s_bcnt1_i32_b64", x) == std::bitset<64>(x).count());
  }
  CHECK(m.scalar<i32>("s_bfe_i32", 0xf0u, 4u | 4u << 16) == -1);
  CHECK(m.scalar<u32>("s_ff1_i32_b64", u64{1} << 40) == 40);
  CHECK(m.scalar<i32>("s_ff1_i32_b32", 0u) == -1);
  CHECK(m.scalar<u32>("s_ff0_i32_b32", 0x0000ffffu) == 16);
  CHECK(m.scalar<u32>("s_bcnt0_i32_b64", u64{7}) == 61);
  CHECK(m.scalar<u32>("s_flbit_i32_b32", 1u << 20) == 11);
  CHECK(m.scalar<u32>("s_flbit_i32", -2) == 31);
  CHECK(m.scalar<u32>("s_brev_b32", 1u) == 0x80000000);
  CHECK(m.scalar<i32>("s_sext_i32_i8", 0x180u) == -128);
  CHECK(m.scalar<u32>("s_bfm_b32", 4u, 8u) == 0xf00);
  CHECK(m.scalar<u32>("s_pack_lh_b32_b16", 0x11112222u, 0x33334444u) == 0x33332222);
}

TEST_CASE("Saving exec returns the old mask and restricts the lanes that write") {
  Machine m;
  CHECK(m.scalar<u64>("s_and_saveexec_b64", u64{0xff}) == all_lanes);
  CHECK(m.wave->exec == 0xff);
  CHECK(m.wave->scc == 1);
  m.operation("v_mov_b32", {constant(42)}).run();
  for (int lane = 0; lane < lanes; ++lane) CHECK(m.get<u32>(20, lane) == (lane < 8 ? 42u : 0u));
  CHECK(m.scalar<u64>("s_andn2_saveexec_b64", u64{0xf0f}) == 0xff);
  CHECK(m.wave->exec == 0xf00);
}

TEST_CASE("Vector integers agree with bits counted one by one") {
  Machine m;
  std::mt19937_64 generator(2);
  for (int i = 0; i < 500; ++i) {
    const auto a = random<u32>(generator), b = random<u32>(generator), c = random<u32>(generator);
    const u32 by = generator() % 32, width = generator() % 32;
    INFO(a << ' ' << b << ' ' << c << ' ' << by << ' ' << width);
    CHECK(m.lane<u32>("v_bfe_u32", a, by, width) ==
          bits_from(a, static_cast<int>(by), static_cast<int>(width)));
    CHECK(m.lane<u32>("v_alignbit_b32", a, b, by) ==
          bits_from(pair(b, a), static_cast<int>(by), 32));
    CHECK(m.lane<u32>("v_alignbyte_b32", a, b, by) ==
          bits_from(pair(b, a), static_cast<int>(8 * (by % 4)), 32));
    CHECK(m.lane<u64>("v_mad_u64_u32", a, b, pair(c, a)) == u64{a} * b + pair(c, a));
    CHECK(m.lane<u32>("v_bfi_b32", a, b, c) == ((a & b) | (~a & c)));
    CHECK(m.lane<u32>("v_mul_u32_u24", a, b) == (a % (1 << 24)) * (b % (1 << 24)));
    CHECK(m.lane<u32>("v_mul_hi_u32", a, b) == static_cast<u32>(u64{a} * b / (u64{1} << 32)));
    CHECK(m.lane<u32>("v_lshl_add_u32", a, by, c) == static_cast<u32>(u64{a} * (u64{1} << by) + c));
    CHECK(m.lane<u64>("v_lshlrev_b64", by, pair(a, b)) == pair(a, b) * (u64{1} << by));
    CHECK(m.lane<u32>("v_bcnt_u32_b32", a, b) == std::bitset<32>(a).count() + b);
  }
  CHECK(m.lane<i32>("v_bfe_i32", 0xf0, 4u, 4u) == -1);
  CHECK(m.lane<i32>("v_ashrrev_i32", 3u, -20) == -3);
  CHECK(m.lane<u32>("v_ffbh_u32", 1u << 20) == 11);
  CHECK(m.lane<u32>("v_ffbl_b32", 0u) == ~0u);
  CHECK(m.lane<i32>("v_mul_hi_i32", -5, 7) == -1);
  CHECK(m.lane<i32>("v_med3_i32", -5, 9, 7) == 7);
  CHECK(m.lane<u32>("v_sad_u8", 0x01020304u, 0x04030201u, 100u) == 108);
  CHECK(m.lane<u32>("v_sad_hi_u8", 0x01020304u, 0x04030201u, 100u) == 8 * 65536 + 100);
  CHECK(m.lane<u32>("v_msad_u8", 0x01020304u, 0x04030001u, 100u) == 107);
  CHECK(m.lane<u32>("v_sad_u16", 0x00010005u, 0x00040003u, 100u) == 105);
  CHECK(m.lane<i32>("v_mul_hi_i32_i24", 0x7f800000, 0x00400000) == -0x2000);
  CHECK(m.lane<u32>("v_mad_u32_u16", 0x1ffffu, 0xffffu, 1u) == 0xffffu * 0xffffu + 1);
  CHECK(m.lane<i32>("v_mad_i32_i16", 0x1ffffu, 7u, 1u) == -6);
}

TEST_CASE("Clamped sums stay within their type, others wrap") {
  Machine m;
  const auto held = [&](const char* name, u32 a, u32 b) {
    m.set(20, 7, 0xabcd0000u);
    m.lane<u32>(name, a, b);
    m.it.clamp = 1;
    m.run();
    return m.get<u32>(20, 7);
  };
  CHECK(held("v_add_u32", 0xfffffff0u, 0x20u) == 0xffffffff);
  CHECK(held("v_sub_u32", 3, 5) == 0);
  CHECK(held("v_subrev_u32", 3, 5) == 2);
  CHECK(held("v_add_i32", 0x7ffffff0, 0x20) == 0x7fffffff);
  CHECK(held("v_sub_i32", 0x80000000, 1) == 0x80000000);
  CHECK(held("v_add_u16", 0xfff0, 0x20) == 0xffff);
  CHECK(held("v_sub_i16", 0x8000, 1) == 0xabcd8000);
  CHECK(held("v_pk_add_u16", 0xfff00001, 0x00200002) == 0xffff0003);
  CHECK(held("v_pk_sub_i16", 0x80000001, 0x00010002) == 0x8000ffff);
  CHECK(m.lane<u32>("v_pk_add_u16", 0xfff00001u, 0x00200002u) == 0x00100003);
  CHECK(m.lane<u32>("v_add_i32", 0x7ffffff0u, 0x20u) == 0x80000010);
}

TEST_CASE("Dot products of integers extend their parts and the sum") {
  Machine m;
  CHECK(m.lane<i32>("v_dot4_i32_i8", 0xff020304u, 0x05060708u, 100) == -5 + 12 + 21 + 32 + 100);
  CHECK(m.lane<u32>("v_dot4_u32_u8", 0xff020304u, 0x05060708u, 1u) == 255 * 5 + 12 + 21 + 32 + 1);
  CHECK(m.lane<i32>("v_dot8_i32_i4", 0xf0000002u, 0x30000004u, 10) == -3 + 8 + 10);
  CHECK(m.lane<u32>("v_dot8_u32_u4", 0xf0000002u, 0x30000004u, 10u) == 45 + 8 + 10);
  CHECK(m.lane<i32>("v_dot2_i32_i16", 0xffff0003u, 0x00050007u, 1) == -5 + 21 + 1);
  CHECK(m.lane<u32>("v_dot2_u32_u16", 0xffff0003u, 0x00050007u, 1u) == 0xffff * 5 + 21 + 1);
  m.it.clamp = 1;
  m.set(4, 7, 0xfffffff0u);
  m.run();
  CHECK(m.get<u32>(20, 7) == 0xffffffff);
  m.set(20, 7, 1000);
  m.operation("v_dot4c_i32_i8", {v(0), constant(1)}, Encoding::vop2).run();
  CHECK(m.get<i32>(20, 7) == 1003);
}

TEST_CASE("An index in m0 moves operands") {
  Machine m;
  m.wave->s[10] = 77;
  m.wave->s[m0] = 10;
  CHECK(m.scalar<u32>("s_movrels_b32", 1u) == 77);  // s0 and ten more
  m.operation("s_movreld_b32", {constant(5)}, Encoding::sop1).run();
  CHECK(m.wave->s[30] == 5);
  m.set(3, 7, 33u);
  m.operation("s_set_gpr_idx_on", {constant(3)}, Encoding::sopc);
  m.it.immediate = 1;  // the source
  m.run();
  m.operation("v_mov_b32", {v(0)}).run();
  CHECK(m.get<u32>(20, 7) == 33);
  m.operation("s_set_gpr_idx_mode", {}, Encoding::sopp);
  m.it.immediate = 8;  // the destination
  m.run();
  m.operation("v_mov_b32", {v(3)}).run();
  CHECK(m.get<u32>(23, 7) == 33);
  m.operation("s_set_gpr_idx_idx", {constant(64)}, Encoding::sop1).run();
  m.operation("v_mov_b32", {constant(1)});
  m.it.destination = 200;
  CHECK_THROWS_AS(m.run(), Fault);
  m.operation("s_set_gpr_idx_off", {}, Encoding::sopp).run();
  m.operation("v_mov_b32", {constant(9)}).run();
  CHECK(m.get<u32>(20, 7) == 9);
}

TEST_CASE("A permutation of bytes takes bytes, signs and constants") {
  Machine m;
  const u32 a = 0x87654321, b = 0x0fedcba9;
  CHECK(m.lane<u32>("v_perm_b32", a, b, 0x03020100u) == b);
  CHECK(m.lane<u32>("v_perm_b32", a, b, 0x07060504u) == a);
  CHECK(m.lane<u32>("v_perm_b32", a, b, 0x0c0d0400u) == 0x00ff21a9);
  CHECK(m.lane<u32>("v_perm_b32", a, b, 0x0b0a0908u) == 0xff0000ff);
}

TEST_CASE("Carries are a bit for each lane") {
  Machine m;
  for (int lane = 0; lane < lanes; ++lane) {
    m.set(0, lane, 0xffffffffu);
    m.set(2, lane, static_cast<u32>(lane % 2));
  }
  m.operation("v_add_co_u32", {v(0), v(2)}, Encoding::vop2).run();
  CHECK(pair(m.wave->s[vcc_lo], m.wave->s[vcc_lo + 1]) == 0xaaaaaaaaaaaaaaaa);
  m.operation("v_addc_co_u32", {constant(1), v(2), vcc_lo}, Encoding::vop2).run();
  for (int lane = 0; lane < lanes; ++lane)
    CHECK(m.get<u32>(20, lane) == static_cast<u32>(1 + 2 * (lane % 2)));
  m.operation("v_cndmask_b32", {constant(3), constant(4), 30}).run();  // by s[30:31], which is zero
  CHECK(m.get<u32>(20, 1) == 3);
}

}  // namespace amd_emulator
