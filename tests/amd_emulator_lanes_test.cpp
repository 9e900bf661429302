// SPDX-License-Identifier: Apache-2.0
// What lanes of the emulated AMD GPUs read of one another, and of parts of registers.
#include <array>

#include "tests/amd_machine.h"

namespace amd_emulator {

TEST_CASE("Lanes read from one another") {
  Machine m;
  for (int lane = 0; lane < lanes; ++lane) m.set(0, lane, static_cast<u32>(100 + lane));
  m.wave->set_exec(0xff00);
  m.operation("v_readfirstlane_b32", {v(0)}).run();
  CHECK(m.wave->s[20] == 108);
  m.operation("v_readlane_b32", {v(0), constant(63)}).run();
  CHECK(m.wave->s[20] == 163);
  m.operation("v_writelane_b32", {constant(5), constant(3)}).run();
  CHECK(m.get<u32>(20, 3) == 5);
  m.wave->set_exec(all_lanes);
  m.operation("v_mbcnt_lo_u32_b32", {constant(-1), constant(0)}).run();
  std::memcpy(m.wave->v[2], m.wave->v[20], sizeof(m.wave->v[0]));
  m.operation("v_mbcnt_hi_u32_b32", {constant(-1), v(2)}).run();
  for (int lane = 0; lane < lanes; ++lane) CHECK(m.get<int>(20, lane) == lane);
}

TEST_CASE("DPP takes the first source from another lane") {
  Machine m;
  for (int lane = 0; lane < lanes; ++lane) m.set(0, lane, static_cast<u32>(lane));
  const auto sources = [&](u32 control, u32 masks = 0xff, bool zeros = false) {
    for (int lane = 0; lane < lanes; ++lane) m.set(20, lane, 99u);
    m.operation("dpp", {v(0)}, Encoding::vop1);
    m.it.name = "v_mov_b32";
    m.it.extended = handler("v_mov_b32");
    m.it.extension_word = control << 8 | (zeros ? 1u << 19 : 0) | masks << 24;
    m.run();
    std::array<int, lanes> from;
    for (int lane = 0; lane < lanes; ++lane) from[lane] = m.get<int>(20, lane);
    return from;
  };
  const auto by_lane = [](auto f) {
    std::array<int, lanes> from;
    for (int lane = 0; lane < lanes; ++lane) from[lane] = f(lane);
    return from;
  };
  CHECK(sources(0xb1) == by_lane([](int l) { return l ^ 1; }));  // quad_perm:[1,0,3,2]
  CHECK(sources(0x101) == by_lane([](int l) { return l % 16 == 15 ? 99 : l + 1; }));
  CHECK(sources(0x112, 0xff, true) == by_lane([](int l) { return l % 16 < 2 ? 0 : l - 2; }));
  CHECK(sources(0x124) == by_lane([](int l) { return l / 16 * 16 + (l + 12) % 16; }));
  CHECK(sources(0x140) == by_lane([](int l) { return l ^ 15; }));
  CHECK(sources(0x141) == by_lane([](int l) { return l ^ 7; }));
  CHECK(sources(0x142) == by_lane([](int l) { return l < 16 ? 99 : l / 16 * 16 - 1; }));
  CHECK(sources(0x143) == by_lane([](int l) { return l < 32 ? 99 : 31; }));
  CHECK(sources(0x153) == by_lane([](int l) { return l / 16 * 16 + 3; }));
  CHECK(sources(0xb1, 0x2f) == by_lane([](int l) { return l / 16 == 1 ? l ^ 1 : 99; }));
  CHECK(sources(0xb1, 0xf4) == by_lane([](int l) { return l % 16 / 4 == 2 ? l ^ 1 : 99; }));
  CHECK_THROWS_AS(sources(0x1ff), Fault);
}

TEST_CASE("SDWA takes parts of the sources and writes a part of the destination") {
  Machine m;
  m.set(0, 7, 0x11f03355u);
  m.set(2, 7, 0x00000001u);
  m.set(20, 7, 0xaabbccddu);
  m.operation("sdwa", {v(0), v(2)}, Encoding::vop2);
  m.it.name = "v_add_u32";
  m.it.extended = handler("v_add_u32");
  // dst_sel BYTE_1, UNUSED_PRESERVE; src0 BYTE_2 sign-extended; src1 DWORD
  m.it.extension_word = 1u << 8 | 2u << 11 | 2u << 16 | 1u << 19 | 6u << 24;
  m.run();
  CHECK(m.get<u32>(20, 7) == 0xaabbf1ddu);
  m.it.extension_word = 5u << 8 | 0u << 11 | 4u << 16 | 6u << 24;  // WORD_1, padded; src0 WORD_0
  m.run();
  CHECK(m.get<u32>(20, 7) == 0x33560000u);
}

}  // namespace amd_emulator
