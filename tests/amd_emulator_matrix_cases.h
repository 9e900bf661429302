// SPDX-License-Identifier: Apache-2.0
// Every dense matrix instruction of both targets, with the places of its elements. They are written
// here once more, and otherwise than in the emulator: one formula for each shape, as AMD's Matrix
// Instruction Calculator prints them (github.com/ROCm/amd_matrix_instruction_calculator).
#pragma once

namespace amd_emulator_test {

// Place of an element: the lane, and the register with the element's first bit in it.
struct Bits {
  int lane, reg, bit;
};

// A[i][k] of block b, and B[k][i] likewise, where elements have `size` bits.
using InputMap = Bits (*)(int i, int k, int b, int size);
// D[i][j] of block b.
using OutputMap = Bits (*)(int i, int j, int b);

inline Bits packed(int lane, int element, int size) {
  return {lane, element * size / 32, element * size % 32};
}

// Several blocks that together have 64 rows: a lane holds all k of its row.
inline Bits in_32_2b(int i, int k, int b, int size) {
  return packed(32 * b + i, k, size);
}
inline Bits in_16_4b(int i, int k, int b, int size) {
  return packed(16 * b + i, k, size);
}
inline Bits in_4_16b(int i, int k, int b, int size) {
  return packed(4 * b + i, k, size);
}
// One block: halves, or quarters, of the lanes hold a part of k each.
inline Bits in_32x2(int i, int k, int, int size) {
  return packed(32 * k + i, 0, size);
}
inline Bits in_32x4(int i, int k, int, int size) {
  return packed(32 * (k / 2) + i, k % 2, size);
}
inline Bits in_32x8(int i, int k, int, int size) {
  return packed(32 * (k / 4) + i, k % 4, size);
}
inline Bits in_32x16(int i, int k, int, int size) {
  return packed(32 * (k / 8) + i, k % 8, size);
}
inline Bits in_16x4(int i, int k, int, int size) {
  return packed(16 * k + i, 0, size);
}
inline Bits in_16x8(int i, int k, int, int size) {
  return packed(16 * (k / 2) + i, k % 2, size);
}
inline Bits in_16x16(int i, int k, int, int size) {
  return packed(16 * (k / 4) + i, k % 4, size);
}
inline Bits in_16x32(int i, int k, int, int size) {
  return packed(16 * (k / 8) + i, k % 8, size);
}
inline Bits in_4x4_4b(int i, int k, int b, int size) {
  return packed(16 * k + 4 * b + i, 0, size);
}

inline Bits out_32(int i, int j, int b) {
  return {32 * (i / 4 % 2) + j, 16 * b + 4 * (i / 8) + i % 4, 0};
}
inline Bits out_16(int i, int j, int b) {
  return {16 * (i / 4) + j, 4 * b + i % 4, 0};
}
inline Bits out_4(int i, int j, int b) {
  return {4 * b + j, i, 0};
}
inline Bits out_16_f64(int i, int j, int) {
  return {16 * (i % 4) + j, 2 * (i / 4), 0};
}
inline Bits out_4_f64(int i, int j, int b) {
  return {16 * i + 4 * b + j, 0, 0};
}

enum class Element { f64, f32, xf32, f16, bf16, i8, fp8, bf8 };

struct Case {
  const char* gfx90a;  // either name may be missing
  const char* gfx942;
  int edge, depth, blocks;
  Element a, b;
  InputMap input;
  OutputMap output;
  unsigned passes_gfx90a, passes_gfx942;
};

inline constexpr auto f64 = Element::f64;
inline constexpr auto f32 = Element::f32, xf32 = Element::xf32;
inline constexpr auto f16 = Element::f16, bf16 = Element::bf16;
inline constexpr auto i8 = Element::i8, fp8 = Element::fp8, bf8 = Element::bf8;

inline const Case cases[] = {
    {"v_mfma_f32_32x32x1f32", "v_mfma_f32_32x32x1_2b_f32", 32, 1, 2, f32, f32, in_32_2b, out_32, 16,
     16},
    {"v_mfma_f32_16x16x1f32", "v_mfma_f32_16x16x1_4b_f32", 16, 1, 4, f32, f32, in_16_4b, out_16, 8,
     8},
    {"v_mfma_f32_4x4x1f32", "v_mfma_f32_4x4x1_16b_f32", 4, 1, 16, f32, f32, in_4_16b, out_4, 2, 2},
    {"v_mfma_f32_32x32x2f32", "v_mfma_f32_32x32x2_f32", 32, 2, 1, f32, f32, in_32x2, out_32, 16,
     16},
    {"v_mfma_f32_16x16x4f32", "v_mfma_f32_16x16x4_f32", 16, 4, 1, f32, f32, in_16x4, out_16, 8, 8},
    {nullptr, "v_mfma_f32_32x32x4_xf32", 32, 4, 1, xf32, xf32, in_32x4, out_32, 0, 8},
    {nullptr, "v_mfma_f32_16x16x8_xf32", 16, 8, 1, xf32, xf32, in_16x8, out_16, 0, 4},
    {"v_mfma_f32_32x32x4f16", "v_mfma_f32_32x32x4_2b_f16", 32, 4, 2, f16, f16, in_32_2b, out_32, 16,
     16},
    {"v_mfma_f32_16x16x4f16", "v_mfma_f32_16x16x4_4b_f16", 16, 4, 4, f16, f16, in_16_4b, out_16, 8,
     8},
    {"v_mfma_f32_4x4x4f16", "v_mfma_f32_4x4x4_16b_f16", 4, 4, 16, f16, f16, in_4_16b, out_4, 2, 2},
    {"v_mfma_f32_32x32x8f16", "v_mfma_f32_32x32x8_f16", 32, 8, 1, f16, f16, in_32x8, out_32, 16, 8},
    {"v_mfma_f32_16x16x16f16", "v_mfma_f32_16x16x16_f16", 16, 16, 1, f16, f16, in_16x16, out_16, 8,
     4},
    {"v_mfma_f32_32x32x2bf16", nullptr, 32, 2, 2, bf16, bf16, in_32_2b, out_32, 16, 0},
    {"v_mfma_f32_16x16x2bf16", nullptr, 16, 2, 4, bf16, bf16, in_16_4b, out_16, 8, 0},
    {"v_mfma_f32_4x4x2bf16", nullptr, 4, 2, 16, bf16, bf16, in_4_16b, out_4, 2, 0},
    {"v_mfma_f32_32x32x4bf16", nullptr, 32, 4, 1, bf16, bf16, in_32x4, out_32, 16, 0},
    {"v_mfma_f32_16x16x8bf16", nullptr, 16, 8, 1, bf16, bf16, in_16x8, out_16, 8, 0},
    {"v_mfma_f32_32x32x4bf16_1k", "v_mfma_f32_32x32x4_2b_bf16", 32, 4, 2, bf16, bf16, in_32_2b,
     out_32, 16, 16},
    {"v_mfma_f32_16x16x4bf16_1k", "v_mfma_f32_16x16x4_4b_bf16", 16, 4, 4, bf16, bf16, in_16_4b,
     out_16, 8, 8},
    {"v_mfma_f32_4x4x4bf16_1k", "v_mfma_f32_4x4x4_16b_bf16", 4, 4, 16, bf16, bf16, in_4_16b, out_4,
     2, 2},
    {"v_mfma_f32_32x32x8bf16_1k", "v_mfma_f32_32x32x8_bf16", 32, 8, 1, bf16, bf16, in_32x8, out_32,
     16, 8},
    {"v_mfma_f32_16x16x16bf16_1k", "v_mfma_f32_16x16x16_bf16", 16, 16, 1, bf16, bf16, in_16x16,
     out_16, 8, 4},
    {"v_mfma_i32_32x32x4i8", "v_mfma_i32_32x32x4_2b_i8", 32, 4, 2, i8, i8, in_32_2b, out_32, 16,
     16},
    {"v_mfma_i32_16x16x4i8", "v_mfma_i32_16x16x4_4b_i8", 16, 4, 4, i8, i8, in_16_4b, out_16, 8, 8},
    {"v_mfma_i32_4x4x4i8", "v_mfma_i32_4x4x4_16b_i8", 4, 4, 16, i8, i8, in_4_16b, out_4, 2, 2},
    {"v_mfma_i32_32x32x8i8", nullptr, 32, 8, 1, i8, i8, in_32x8, out_32, 16, 0},
    {"v_mfma_i32_16x16x16i8", nullptr, 16, 16, 1, i8, i8, in_16x16, out_16, 8, 0},
    {nullptr, "v_mfma_i32_32x32x16_i8", 32, 16, 1, i8, i8, in_32x16, out_32, 0, 8},
    {nullptr, "v_mfma_i32_16x16x32_i8", 16, 32, 1, i8, i8, in_16x32, out_16, 0, 4},
    {"v_mfma_f64_16x16x4f64", "v_mfma_f64_16x16x4_f64", 16, 4, 1, f64, f64, in_16x4, out_16_f64, 8,
     8},
    {"v_mfma_f64_4x4x4f64", "v_mfma_f64_4x4x4_4b_f64", 4, 4, 4, f64, f64, in_4x4_4b, out_4_f64, 4,
     4},
    {nullptr, "v_mfma_f32_32x32x16_bf8_bf8", 32, 16, 1, bf8, bf8, in_32x16, out_32, 0, 8},
    {nullptr, "v_mfma_f32_32x32x16_bf8_fp8", 32, 16, 1, bf8, fp8, in_32x16, out_32, 0, 8},
    {nullptr, "v_mfma_f32_32x32x16_fp8_bf8", 32, 16, 1, fp8, bf8, in_32x16, out_32, 0, 8},
    {nullptr, "v_mfma_f32_32x32x16_fp8_fp8", 32, 16, 1, fp8, fp8, in_32x16, out_32, 0, 8},
    {nullptr, "v_mfma_f32_16x16x32_bf8_bf8", 16, 32, 1, bf8, bf8, in_16x32, out_16, 0, 4},
    {nullptr, "v_mfma_f32_16x16x32_bf8_fp8", 16, 32, 1, bf8, fp8, in_16x32, out_16, 0, 4},
    {nullptr, "v_mfma_f32_16x16x32_fp8_bf8", 16, 32, 1, fp8, bf8, in_16x32, out_16, 0, 4},
    {nullptr, "v_mfma_f32_16x16x32_fp8_fp8", 16, 32, 1, fp8, fp8, in_16x32, out_16, 0, 4},
};

inline int size_of(Element type) {
  switch (type) {
    case f64:
      return 64;
    case f32:
    case xf32:
      return 32;
    case f16:
    case bf16:
      return 16;
    default:
      return 8;
  }
}

}  // namespace amd_emulator_test
