// SPDX-License-Identifier: Apache-2.0
// The dense matrix instructions (MFMA) of both targets, in a table. They ignore EXEC.
#include <string>

#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/matrix_product.h"
#include "tests/amd_emulator/operands.h"

namespace amd_emulator {
namespace {

// What an instruction does with its BLGP field: nothing, take lanes of B by a pattern, or (f64 of
// gfx942) negate A, B and C by its three bits.
enum class Blgp : std::uint8_t { none, pattern, negate };

struct Operation {
  MatrixShape shape;
  unsigned passes;  // of 4 cycles
  Blgp blgp;
};

[[noreturn]] void refuse(const Instruction& it, const char* what) {
  throw Fault(std::string(it.name) + ": " + what);
}

void check_modifiers(const Instruction& it, int broadcast_blocks, Blgp blgp) {
  if (1 << it.cbsz > broadcast_blocks) refuse(it, "cbsz is more than it has blocks of A");
  if (it.abid >= 1 << it.cbsz) refuse(it, "abid is no block that cbsz selects from");
  if (it.blgp != 0 && blgp == Blgp::none) refuse(it, "it takes no blgp");
}

ConstRegisters input_registers(const Wave& wave, const Instruction& it, unsigned code) {
  if (!is_vector(code)) refuse(it, "A and B must be vector registers");
  return wave.v + (code - first_vector_code);
}

template <class Value>
MatrixAddend<Value> addend(const Wave& wave, const Instruction& it) {
  const unsigned code = it.source[2];
  if (is_vector(code)) return {.registers = wave.v + (code - first_vector_code)};
  if constexpr (sizeof(Value) == sizeof(std::uint64_t))
    return {.constant = std::bit_cast<Value>(scalar64(wave, it, code))};
  else
    return {.constant = std::bit_cast<Value>(scalar32(wave, it, code))};
}

// Whether writing D, strip by strip, would change strips of C that are still to be read.
bool overlap(ConstRegisters c, ConstRegisters d, int count) {
  return c != nullptr && c != d && c < d + count && d < c + count;
}

template <Operation operation, class A, class B>
void execute(Wave& wave, const Instruction& it) {
  using Value = typename A::Value;
  constexpr MatrixShape shape = operation.shape;
  constexpr bool f64 = A::bits == 64;
  constexpr int registers = shape.results() * (f64 ? 2 : 1);
  check_modifiers(it, f64 ? 1 : shape.blocks, operation.blgp);

  MatrixInput<A, shape> a;
  MatrixInput<B, shape> b;
  a.load(input_registers(wave, it, it.source[0]));
  b.load(input_registers(wave, it, it.source[1]));
  MatrixAddend<Value> c = addend<Value>(wave, it);
  if constexpr (operation.blgp == Blgp::pattern) {
    if (it.blgp != 0) b.take_lane_groups(lane_group_patterns[it.blgp & 7]);
  } else if constexpr (operation.blgp == Blgp::negate) {
    if (it.blgp & 1) a.negate();
    if (it.blgp & 2) b.negate();
    c.negate = (it.blgp & 4) != 0;
  }

  Registers d = wave.v + it.destination;
  if (overlap(c.registers, d, registers)) {
    alignas(64) std::uint32_t result[registers][lanes];
    multiply(a, b, c, result, it.cbsz, it.abid);
    std::memcpy(d, result, sizeof result);
  } else {
    multiply(a, b, c, d, it.cbsz, it.abid);
  }
  wave.group->counts->matrix_passes += operation.passes;
}

template <MatrixShape shape, unsigned passes, Blgp blgp, class A, class B = A>
constexpr NamedHandler row(const char* name) {
  return {name, execute<Operation{shape, passes, blgp}, A, B>};
}

using S = MatrixShape;  // edge, depth, blocks
constexpr Blgp none = Blgp::none, pattern = Blgp::pattern, negate = Blgp::negate;

// Shapes, passes and modifiers as in AMD's Matrix Instruction Calculator; the passes are those of
// LLVM's scheduling model too.
constexpr NamedHandler table[] = {
    // gfx90a
    row<S{32, 1, 2}, 16, pattern, F32>("v_mfma_f32_32x32x1f32"),
    row<S{16, 1, 4}, 8, pattern, F32>("v_mfma_f32_16x16x1f32"),
    row<S{4, 1, 16}, 2, pattern, F32>("v_mfma_f32_4x4x1f32"),
    row<S{32, 2, 1}, 16, pattern, F32>("v_mfma_f32_32x32x2f32"),
    row<S{16, 4, 1}, 8, pattern, F32>("v_mfma_f32_16x16x4f32"),
    row<S{32, 4, 2}, 16, pattern, FlushedF16>("v_mfma_f32_32x32x4f16"),
    row<S{16, 4, 4}, 8, pattern, FlushedF16>("v_mfma_f32_16x16x4f16"),
    row<S{4, 4, 16}, 2, pattern, FlushedF16>("v_mfma_f32_4x4x4f16"),
    row<S{32, 8, 1}, 16, pattern, FlushedF16>("v_mfma_f32_32x32x8f16"),
    row<S{16, 16, 1}, 8, pattern, FlushedF16>("v_mfma_f32_16x16x16f16"),
    row<S{32, 2, 2}, 16, pattern, FlushedBf16>("v_mfma_f32_32x32x2bf16"),
    row<S{16, 2, 4}, 8, pattern, FlushedBf16>("v_mfma_f32_16x16x2bf16"),
    row<S{4, 2, 16}, 2, pattern, FlushedBf16>("v_mfma_f32_4x4x2bf16"),
    row<S{32, 4, 1}, 16, pattern, FlushedBf16>("v_mfma_f32_32x32x4bf16"),
    row<S{16, 8, 1}, 8, pattern, FlushedBf16>("v_mfma_f32_16x16x8bf16"),
    row<S{32, 4, 2}, 16, pattern, FlushedBf16>("v_mfma_f32_32x32x4bf16_1k"),
    row<S{16, 4, 4}, 8, pattern, FlushedBf16>("v_mfma_f32_16x16x4bf16_1k"),
    row<S{4, 4, 16}, 2, pattern, FlushedBf16>("v_mfma_f32_4x4x4bf16_1k"),
    row<S{32, 8, 1}, 16, pattern, FlushedBf16>("v_mfma_f32_32x32x8bf16_1k"),
    row<S{16, 16, 1}, 8, pattern, FlushedBf16>("v_mfma_f32_16x16x16bf16_1k"),
    row<S{32, 4, 2}, 16, pattern, I8>("v_mfma_i32_32x32x4i8"),
    row<S{16, 4, 4}, 8, pattern, I8>("v_mfma_i32_16x16x4i8"),
    row<S{4, 4, 16}, 2, pattern, I8>("v_mfma_i32_4x4x4i8"),
    row<S{32, 8, 1}, 16, pattern, I8>("v_mfma_i32_32x32x8i8"),
    row<S{16, 16, 1}, 8, pattern, I8>("v_mfma_i32_16x16x16i8"),
    row<S{16, 4, 1}, 8, none, F64>("v_mfma_f64_16x16x4f64"),
    row<S{4, 4, 4}, 4, none, F64>("v_mfma_f64_4x4x4f64"),

    // gfx942
    row<S{32, 1, 2}, 16, pattern, F32>("v_mfma_f32_32x32x1_2b_f32"),
    row<S{16, 1, 4}, 8, pattern, F32>("v_mfma_f32_16x16x1_4b_f32"),
    row<S{4, 1, 16}, 2, pattern, F32>("v_mfma_f32_4x4x1_16b_f32"),
    row<S{32, 2, 1}, 16, pattern, F32>("v_mfma_f32_32x32x2_f32"),
    row<S{16, 4, 1}, 8, pattern, F32>("v_mfma_f32_16x16x4_f32"),
    row<S{32, 4, 1}, 8, none, Xf32>("v_mfma_f32_32x32x4_xf32"),
    row<S{16, 8, 1}, 4, none, Xf32>("v_mfma_f32_16x16x8_xf32"),
    row<S{32, 4, 2}, 16, pattern, F16>("v_mfma_f32_32x32x4_2b_f16"),
    row<S{16, 4, 4}, 8, pattern, F16>("v_mfma_f32_16x16x4_4b_f16"),
    row<S{4, 4, 16}, 2, pattern, F16>("v_mfma_f32_4x4x4_16b_f16"),
    row<S{32, 8, 1}, 8, none, F16>("v_mfma_f32_32x32x8_f16"),
    row<S{16, 16, 1}, 4, none, F16>("v_mfma_f32_16x16x16_f16"),
    row<S{32, 4, 2}, 16, pattern, Bf16>("v_mfma_f32_32x32x4_2b_bf16"),
    row<S{16, 4, 4}, 8, pattern, Bf16>("v_mfma_f32_16x16x4_4b_bf16"),
    row<S{4, 4, 16}, 2, pattern, Bf16>("v_mfma_f32_4x4x4_16b_bf16"),
    row<S{32, 8, 1}, 8, none, Bf16>("v_mfma_f32_32x32x8_bf16"),
    row<S{16, 16, 1}, 4, none, Bf16>("v_mfma_f32_16x16x16_bf16"),
    row<S{32, 4, 2}, 16, pattern, I8>("v_mfma_i32_32x32x4_2b_i8"),
    row<S{16, 4, 4}, 8, pattern, I8>("v_mfma_i32_16x16x4_4b_i8"),
    row<S{4, 4, 16}, 2, pattern, I8>("v_mfma_i32_4x4x4_16b_i8"),
    row<S{32, 16, 1}, 8, none, I8>("v_mfma_i32_32x32x16_i8"),
    row<S{16, 32, 1}, 4, none, I8>("v_mfma_i32_16x16x32_i8"),
    row<S{16, 4, 1}, 8, negate, F64>("v_mfma_f64_16x16x4_f64"),
    row<S{4, 4, 4}, 4, negate, F64>("v_mfma_f64_4x4x4_4b_f64"),
    row<S{32, 16, 1}, 8, none, Bf8Factor, Bf8Factor>("v_mfma_f32_32x32x16_bf8_bf8"),
    row<S{32, 16, 1}, 8, none, Bf8Factor, Fp8Factor>("v_mfma_f32_32x32x16_bf8_fp8"),
    row<S{32, 16, 1}, 8, none, Fp8Factor, Bf8Factor>("v_mfma_f32_32x32x16_fp8_bf8"),
    row<S{32, 16, 1}, 8, none, Fp8Factor, Fp8Factor>("v_mfma_f32_32x32x16_fp8_fp8"),
    row<S{16, 32, 1}, 4, none, Bf8Factor, Bf8Factor>("v_mfma_f32_16x16x32_bf8_bf8"),
    row<S{16, 32, 1}, 4, none, Bf8Factor, Fp8Factor>("v_mfma_f32_16x16x32_bf8_fp8"),
    row<S{16, 32, 1}, 4, none, Fp8Factor, Bf8Factor>("v_mfma_f32_16x16x32_fp8_bf8"),
    row<S{16, 32, 1}, 4, none, Fp8Factor, Fp8Factor>("v_mfma_f32_16x16x32_fp8_fp8"),
};

}  // namespace

std::span<const NamedHandler> matrix_handlers() {
  return table;
}

}  // namespace amd_emulator
