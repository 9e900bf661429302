// SPDX-License-Identifier: Apache-2.0
// What matrix instructions make of special values: denormals by target, NaN and infinity, all values of
// the 8-bit types, xf32's dropped bits, sums that wrap.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/wave.h"
#include "tests/catch.h"

using namespace amd_emulator;

namespace {

// D[0][0] of a one-block instruction whose A, B and C have nothing but A[0][0], B[0][0] and C[0][0]: all
// three lie in the low bits of lane 0.
std::uint32_t product(const char* name, std::uint32_t a, std::uint32_t b, std::uint32_t c = 0) {
  auto wave = std::make_unique<Wave>();
  std::memset(wave->v, 0, sizeof wave->v);
  Counts counts;
  Workgroup group{};
  group.counts = &counts;
  wave->group = &group;
  wave->v[0][0] = a;
  wave->v[16][0] = b;
  wave->v[32][0] = c;
  Instruction it;
  it.name = name;
  it.source[0] = first_vector_code;
  it.source[1] = first_vector_code + 16;
  it.source[2] = first_vector_code + 32;
  it.destination = 64;
  for (const NamedHandler& row : matrix_handlers()) {
    if (std::string(row.name) != name) continue;
    row.handler(*wave, it);
    return wave->v[64][0];
  }
  FAIL("no " << name);
  return 0;
}

float product_f32(const char* name, std::uint32_t a, std::uint32_t b, float c = 0) {
  return std::bit_cast<float>(product(name, a, b, std::bit_cast<std::uint32_t>(c)));
}

constexpr std::uint32_t f16_one = 0x3c00, bf16_one = 0x3f80, f32_one = 0x3f800000;
constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("MI200 flushes denormal f16 and bf16, and their denormal results; MI300 does not") {
  CHECK(product_f32("v_mfma_f32_32x32x8_f16", 0x0001, f16_one) == 0x1p-24f);
  CHECK(product_f32("v_mfma_f32_32x32x8f16", 0x0001, f16_one) == 0);
  CHECK(product_f32("v_mfma_f32_32x32x8_f16", f16_one, 0x83ff) == -0x3ffp-24f);
  CHECK(product_f32("v_mfma_f32_32x32x8f16", f16_one, 0x83ff) == 0);
  CHECK(product_f32("v_mfma_f32_32x32x8f16", 0x0400, f16_one) == 0x1p-14f);
  CHECK(product_f32("v_mfma_f32_16x16x16_bf16", 0x0001, bf16_one) == 0x1p-133f);
  CHECK(product_f32("v_mfma_f32_16x16x16bf16_1k", 0x0001, bf16_one) == 0);
  CHECK(product_f32("v_mfma_f32_16x16x8bf16", 0x0001, bf16_one) == 0);

  // 2^-70 * 2^-70 and C alone, as results.
  CHECK(product_f32("v_mfma_f32_16x16x16_bf16", 0x1c80, 0x1c80) == 0x1p-140f);
  CHECK(product_f32("v_mfma_f32_16x16x16bf16_1k", 0x1c80, 0x1c80) == 0);
  CHECK(product("v_mfma_f32_16x16x16bf16_1k", 0x1c80, 0x9c80) == 0x80000000);
  CHECK(product("v_mfma_f32_32x32x8f16", 0, 0, 0x80000001) == 0x80000000);
  CHECK(product("v_mfma_f32_32x32x8_f16", 0, 0, 0x80000001) == 0x80000001);
}

TEST_CASE("f32 keeps denormals on both targets") {
  for (const char* name : {"v_mfma_f32_32x32x2f32", "v_mfma_f32_32x32x2_f32"})
    CHECK(product(name, 0x00000003, f32_one) == 3);
}

TEST_CASE("NaN and infinity go through matrix products") {
  CHECK(product_f32("v_mfma_f32_32x32x8_f16", 0x7c00, f16_one) == infinity);
  CHECK(product_f32("v_mfma_f32_32x32x8f16", 0xfc00, f16_one) == -infinity);
  CHECK(std::isnan(product_f32("v_mfma_f32_32x32x8_f16", 0x7e00, f16_one)));
  CHECK(std::isnan(product_f32("v_mfma_f32_32x32x8f16", 0x7c01, f16_one)));
  CHECK(std::isnan(product_f32("v_mfma_f32_32x32x8_f16", 0x7c00, 0)));
  CHECK(std::isnan(product_f32("v_mfma_f32_16x16x16_bf16", 0x7fc0, 0)));
  CHECK(std::isnan(product_f32("v_mfma_f32_16x16x4_f32", 0x7f800000, f32_one, -infinity)));
  CHECK(product_f32("v_mfma_f32_32x32x8_f16", 0x7bff, 0x7bff, 1) == 65504.f * 65504.f);
  CHECK(product_f32("v_mfma_f32_16x16x16_bf16", 0x7f7f, 0x7f7f) == infinity);
}

TEST_CASE("All f16 are converted exactly") {
  for (std::uint32_t word = 0; word < 0x7c00; ++word) {
    const int exponent = static_cast<int>(word >> 10), fraction = static_cast<int>(word & 0x3ff);
    const float value = exponent == 0
                            ? std::ldexp(static_cast<float>(fraction), -24)
                            : std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
    if (product_f32("v_mfma_f32_16x16x16_f16", word, f16_one) != value) FAIL(word);
    if (product_f32("v_mfma_f32_16x16x16_f16", word | 0x8000, f16_one) != -value) FAIL(word);
  }
}

TEST_CASE("fp8 and bf8 of gfx942 are FNUZ, all 256 of each") {
  const auto check = [](const char* name, int mantissa_bits, int bias, std::uint32_t one) {
    INFO(name);
    CHECK(std::isnan(product_f32(name, 0x80, one)));
    for (std::uint32_t word = 0; word < 256; ++word) {
      if (word == 0x80) continue;
      const int magnitude = static_cast<int>(word & 0x7f), exponent = magnitude >> mantissa_bits;
      const int fraction = magnitude & ((1 << mantissa_bits) - 1);
      const float value = exponent == 0
                              ? std::ldexp(static_cast<float>(fraction), 1 - bias - mantissa_bits)
                              : std::ldexp(static_cast<float>(fraction + (1 << mantissa_bits)),
                                           exponent - bias - mantissa_bits);
      CHECK(product_f32(name, word, one) == (word > 0x80 ? -value : value));
    }
  };
  check("v_mfma_f32_16x16x32_fp8_fp8", 3, 8, 0x40);
  check("v_mfma_f32_32x32x16_fp8_bf8", 3, 8, 0x40);
  check("v_mfma_f32_16x16x32_bf8_fp8", 2, 16, 0x40);
  check("v_mfma_f32_32x32x16_bf8_bf8", 2, 16, 0x40);
  CHECK(product_f32("v_mfma_f32_16x16x32_fp8_fp8", 0x7f, 0x40) == 240);
  CHECK(product_f32("v_mfma_f32_16x16x32_bf8_bf8", 0x7f, 0x40) == 57344);
}

TEST_CASE("xf32 drops the 13 low bits of its inputs, without rounding") {
  CHECK(product("v_mfma_f32_16x16x8_xf32", 0x3f803fff, f32_one) == 0x3f802000);
  CHECK(product("v_mfma_f32_32x32x4_xf32", f32_one, 0xbfffffff) == 0xbfffe000);
  CHECK(product("v_mfma_f32_32x32x4_xf32", 0, 0, 0x3fffffff) == 0x3fffffff);
}

TEST_CASE("Integer products are signed and their sums wrap") {
  CHECK(product("v_mfma_i32_16x16x32_i8", 0x80, 0x80) == 0x4000);
  CHECK(product("v_mfma_i32_16x16x16i8", 0x80, 0x7f) == static_cast<std::uint32_t>(-128 * 127));
  CHECK(product("v_mfma_i32_32x32x16_i8", 1, 1, 0x7fffffff) == 0x80000000);
}

TEST_CASE("A product is fused with the sum: its low bits are not lost") {
  // (1 + 2^-12)^2 - (1 + 2^-11) = 2^-24
  CHECK(product_f32("v_mfma_f32_16x16x4_f32", 0x3f800800, 0x3f800800, -1.00048828125f) == 0x1p-24f);
}
