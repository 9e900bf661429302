// SPDX-License-Identifier: Apache-2.0
// What a decoded instruction holds besides what its text shows; the texts are compared with LLVM's by
// amd_emulator_decode_test.py.
#include "tests/amd_emulator/instruction.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"

namespace amd_emulator {
namespace {

Instruction decoded(Target target, const std::vector<std::uint32_t>& words) {
  return decode(target, words.data(), words.size());
}
Instruction decoded(const std::vector<std::uint32_t>& words) {
  return decoded(Target::gfx90a, words);
}

TEST_CASE("an instruction that is cut off is none") {
  const std::vector<std::uint32_t> with_literal = {0x8002ff01, 0x12345678};  // s_add_u32
  const Instruction whole = decoded(with_literal);
  CHECK(whole.name == std::string("s_add_u32"));
  CHECK(whole.words == 2);
  CHECK(whole.literal == 0x12345678);
  for (std::uint64_t count : {0, 1}) {
    const Instruction part = decode(Target::gfx90a, with_literal.data(), count);
    CHECK(part.name == nullptr);
    CHECK(part.words == 1);
    CHECK(part.encoding == Encoding::none);
  }
}

TEST_CASE("a literal's code in a field that the opcode ignores is no literal") {
  CHECK(decoded({0xbe821cff, 0}).words == 1);  // s_getpc_b64 s[2:3]
  CHECK(decoded({0x7e0000ff, 0}).words == 1);  // v_nop
}

TEST_CASE("VOP3 has no literals") {
  CHECK(decoded({0xd1cb0000, 0x040202ff, 0}).name == nullptr);  // v_fma_f32
}

TEST_CASE("both encodings of a vector instruction name and place the same") {
  const Instruction narrow = decoded({0x38020501});               // v_addc_co_u32_e32
  const Instruction wide = decoded({0xd11c6a01, 0x01aa0501});     // v_addc_co_u32_e64
  const Instruction compare = decoded({0xd0c90004, 0x00020501});  // v_cmp_lt_u32_e64 s[4:5]
  CHECK(std::string(narrow.name) == wide.name);
  for (const Instruction& it : {narrow, wide}) {
    CHECK(it.destination == 1);
    CHECK(it.scalar_destination == vcc_lo);
    CHECK(it.source[0] == first_vector_code + 1);
    CHECK(it.source[1] == first_vector_code + 2);
    CHECK(it.source[2] == vcc_lo);
  }
  CHECK(compare.scalar_destination == 4);
}

TEST_CASE("the register files of moves to and from accumulators are fixed") {
  for (std::uint32_t bits : {0x00000000u, 0x18000000u}) {
    const Instruction read = decoded({0xd3d84001, 0x00000102 | bits});
    CHECK(read.name == std::string("v_accvgpr_read_b32"));
    CHECK(read.source[0] == first_accumulator_code + 2);
    CHECK(read.destination == 1);
    const Instruction write = decoded({0xd3d94001, 0x00000102 | bits});
    CHECK(write.name == std::string("v_accvgpr_write_b32"));
    CHECK(write.source[0] == first_vector_code + 2);
    CHECK(write.destination == 256 + 1);
  }
}

TEST_CASE("bits choose the register files of a matrix instruction") {
  // v_mfma_f32_32x32x8f16 a[0:15], v[2:3], a[4:5], a[16:31] cbsz:1 abid:2 blgp:3
  const Instruction it = decoded({0xd3cc9100, 0x74420902});
  CHECK(it.kind == Kind::matrix);
  CHECK(it.destination == 256);
  CHECK(it.source[0] == first_vector_code + 2);
  CHECK(it.source[1] == first_accumulator_code + 4);
  CHECK(it.source[2] == first_accumulator_code + 16);
  CHECK(it.cbsz == 1);
  CHECK(it.abid == 2);
  CHECK(it.blgp == 3);
  CHECK(it.negate == 0);
}

TEST_CASE("a scalar load says what is added to its base") {
  const Instruction immediate = decoded({0xc0020002, 0x001ffffc});
  CHECK(immediate.immediate_enable);
  CHECK_FALSE(immediate.scalar_offset_enable);
  CHECK(immediate.immediate == -4);
  const Instruction in_offset = decoded({0xc0000002, 5}), in_own = decoded({0xc0004002, 5u << 25});
  for (const Instruction& it : {in_offset, in_own}) {
    CHECK_FALSE(it.immediate_enable);
    CHECK(it.scalar_offset_enable);
    CHECK(it.immediate == 0);
    CHECK(it.source[0] == 5);
  }
}

TEST_CASE("an extension replaces the first source and counts as a word") {
  // v_and_b32_sdwa v1, s3, v2; its signs are those of no integer
  const Instruction sdwa = decoded({0x260204f9, 0x06b60603});
  CHECK(sdwa.extension == Extension::sdwa);
  CHECK(sdwa.words == 2);
  CHECK(sdwa.source[0] == 3);
  CHECK(sdwa.source[1] == first_vector_code + 2);
  CHECK(sdwa.negate == 0);
  CHECK(sdwa.absolute == 0);
  const Instruction dpp = decoded({0x020204fa, 0xff1140ab});  // v_add_f32_dpp v1, -v171, v2
  CHECK(dpp.extension == Extension::dpp);
  CHECK(dpp.source[0] == first_vector_code + 0xab);
  CHECK(dpp.negate == 1);
  CHECK(dpp.extension_word == 0xff1140ab);
}

TEST_CASE("instructions are counted by their kind") {
  const std::pair<Kind, std::vector<std::uint32_t>> examples[] = {
      {Kind::branch, {0xbf820005}},
      {Kind::barrier, {0xbf8a0000}},
      {Kind::wait, {0xbf8c0f70}},
      {Kind::other, {0xbf810000}},
      {Kind::scalar, {0x80020001}},
      {Kind::scalar_load, {0xc0020002, 0}},
      {Kind::vector, {0x02020501}},
      {Kind::lds, {0xd86c0000, 0x01000002}},
      {Kind::load, {0xdc508000, 0x017f0002}},
      {Kind::store, {0xdc708000, 0x007f0102}},
      {Kind::atomic, {0xdd088000, 0x007f0102}},
      {Kind::branch, {0xbe801d02}},
  };
  for (const auto& [kind, words] : examples) {
    const Instruction it = decoded(words);
    INFO(disassemble(Target::gfx90a, it));
    CHECK(it.kind == kind);
  }
}

TEST_CASE("targets differ in names, and in what a scratch address is made of") {
  const std::vector<std::uint32_t> matrix = {0xd3cc8000, 0x04020902};
  CHECK(decoded(matrix).name == std::string("v_mfma_f32_32x32x8f16"));
  CHECK(decoded(Target::gfx942, matrix).name == std::string("v_mfma_f32_32x32x8_f16"));
  const std::vector<std::uint32_t> load = {0xdc506004, 0x017f0002};  // scratch_load_dword
  CHECK(decoded(Target::gfx942, load).scratch_vector_address == 1);
  CHECK(decoded(load).lds == 1);
}

}  // namespace
}  // namespace amd_emulator
