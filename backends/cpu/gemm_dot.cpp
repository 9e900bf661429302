// SPDX-License-Identifier: Apache-2.0
// GEMM with few rows as dot products along k, for the instruction set this file is compiled for.
//
// Idea     With B transposed, a column of it is contiguous. Lanes run along k: up to 8 rows of A
//          times 3 columns of B keep 24 vectors of sums in registers, whose lanes are added up when
//          a column ends. B is used as it lies: packing it would cost more than its few products.
// Traffic  B passes once from DRAM through the registers (for m > 8 a second time from L1 or L2),
//          in three streams that the prefetcher follows. A stays in L2.
// Limits   Up to 8 products per value of B and then 16 keep pace with memory; more rows are better
//          off with packed panels.
#include "backends/cpu/gemm_dot.h"

#include "backends/cpu/gemm_simd.h"

namespace steelyard::cpu {
namespace {

constexpr int rows_at_once = vector_bytes == 64 ? 8 : 4, columns_at_once = 3;

// ---- one vector of A times one of B, lane by lane

template <class Input>
struct Dot {
  using Sum = Input;
  using Values = Vector<Input>;
  static Vector<Sum> step(Vector<Sum> sum, Values a, Values b) { return sum + a * b; }
};

// A lane holds two consecutive values.
template <>
struct Dot<Bf16> {
  using Sum = float;
  using Values = Vector<std::uint32_t>;
  static Vector<Sum> step(Vector<Sum> sum, Values a, Values b) {
#if defined(__AVX512BF16__)
    return (Vector<Sum>)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
    constexpr std::uint32_t upper = 0xffff0000;
    sum += (Vector<float>)(a << 16) * (Vector<float>)(b << 16);
    return sum + (Vector<float>)(a & upper) * (Vector<float>)(b & upper);
#endif
  }
};

template <class T>
T total(Vector<T> sums) {
  T sum = 0;
  for (int i = 0; i < lanes<T>; ++i) sum += sums[i];
  return sum;
}

// The first `count` values, zeros behind them.
template <class Input>
typename Dot<Input>::Values load_part(const Input* from, std::int64_t count) {
  typename Dot<Input>::Values part = {};
  std::memcpy(&part, from, count * sizeof *from);
  return part;
}

// ---- a block of C

template <class Input, int rows>
struct Block {
  using Sums = Vector<typename Dot<Input>::Sum>;
  Sums sums[rows][columns_at_once] = {};

  void step(const Input* a, const typename Dot<Input>::Values (&b)[columns_at_once]) {
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const auto row = load<typename Dot<Input>::Values>(a + i * lanes<Input>);
#pragma GCC unroll 3
      for (int j = 0; j < columns_at_once; ++j)
        sums[i][j] = Dot<Input>::step(sums[i][j], row, b[j]);
    }
  }
};

template <class Input, class Output, int rows>
void multiply_block(const GemmOperands& g, const Input* a, std::int64_t row, std::int64_t column,
                    std::int64_t end_column) {
  using Values = typename Dot<Input>::Values;
  const Input* b[columns_at_once];  // the last one once more where there are fewer
  for (int j = 0; j < columns_at_once; ++j)
    b[j] = static_cast<const Input*>(g.b) +
           (column + j < end_column ? column + j : end_column - 1) * g.k;
  Block<Input, rows> block;
  Values values[columns_at_once];
  std::int64_t p = 0;
  for (a += row * lanes<Input>; p + lanes<Input> <= g.k; p += lanes<Input>) {
    for (int j = 0; j < columns_at_once; ++j) values[j] = load<Values>(b[j] + p);
    block.step(a, values);
    a += g.m * lanes<Input>;
  }
  if (p < g.k) {
    for (int j = 0; j < columns_at_once; ++j) values[j] = load_part(b[j] + p, g.k - p);
    block.step(a, values);
  }
  using Sum = typename Dot<Input>::Sum;
  const auto alpha = static_cast<Sum>(g.alpha), beta = static_cast<Sum>(g.beta);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns_at_once && column + j < end_column; ++j) {
      Output& c = static_cast<Output*>(g.c)[(row + i) * g.n + column + j];
      c = finish(total<Sum>(block.sums[i][j]), c, alpha, beta);
    }
}

// The instance for the rows that are left.
template <class Input, class Output, int rows = rows_at_once>
void multiply_rows(const GemmOperands& g, const Input* a, std::int64_t row, std::int64_t column,
                   std::int64_t end_column) {
  if constexpr (rows > 1)
    if (g.m - row < rows)
      return multiply_rows<Input, Output, rows - 1>(g, a, row, column, end_column);
  multiply_block<Input, Output, rows>(g, a, row, column, end_column);
}

template <class Input, class Output>
void compute(const GemmOperands& g, const void* packed_a, std::int64_t first_column,
             std::int64_t end_column) {
  for (std::int64_t j = first_column; j < end_column; j += columns_at_once)
    for (std::int64_t i = 0; i < g.m; i += rows_at_once)
      multiply_rows<Input, Output>(g, static_cast<const Input*>(packed_a), i, j, end_column);
}

template <class Input>
void pack(const GemmOperands& g, void* packed_a) {
  auto* to = static_cast<Input*>(packed_a);
  for (std::int64_t p = 0; p < g.k; p += lanes<Input>)
    for (std::int64_t i = 0; i < g.m; ++i, to += lanes<Input>) {
      const std::int64_t left = g.k - p;
      const auto values = load_part(static_cast<const Input*>(g.a) + i * g.k + p,
                                    left < lanes<Input> ? left : lanes<Input>);
      std::memcpy(static_cast<void*>(to), &values, sizeof values);
    }
}

template <class Input, class Output>
constexpr DotKernel describe() {
  return {pack<Input>, compute<Input, Output>};
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

DotKernel dot_kernel(DType input, DType output) {
  using enum DType;
  if (input == f32 && output == f32) return describe<float, float>();
  if (input == f64 && output == f64) return describe<double, double>();
  if (input == bf16 && output == bf16) return describe<Bf16, Bf16>();
  if (input == bf16 && output == f32) return describe<Bf16, float>();
  return {};
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
