// SPDX-License-Identifier: Apache-2.0
// A row-major GEMM in the words of a BLAS, whose matrices are column-major.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backends/problem.h"

namespace steelyard::gpu {

// rows x columns values of the named operand, one column behind the other.
struct ColumnMajor {
  std::string_view operand;
  DType type;
  std::int64_t rows, columns;
  bool transposed = false;  // before it is multiplied
};

// result[m, n] = op(first)[m, k] op(second)[k, n].
struct ColumnMajorGemm {
  std::int64_t m, n, k;
  ColumnMajor first, second, result;
};

// Read column by column, a row-major matrix is its transpose, and C^T = B^T A^T: B comes first.
inline ColumnMajorGemm column_major(const Gemm& p) {
  ColumnMajorGemm swapped = {.m = p.n,
                             .n = p.m,
                             .k = p.k,
                             .first = {"b", p.b, p.n, p.k},
                             .second = {"a", p.a, p.k, p.m},
                             .result = {"c", p.c, p.n, p.m}};
  if (p.layout == Layout::nt) swapped.first = {"b", p.b, p.k, p.n, true};
  if (p.layout == Layout::tn) swapped.second = {"a", p.a, p.m, p.k, true};
  return swapped;
}

// alpha and beta are read in f64 for f64, in int32 for integers and in f32 for everything else.
inline DType scalar_type(const Gemm& p) {
  return p.c == DType::f64 || p.c == DType::int32 ? p.c : DType::f32;
}

// A number in the type that a library reads alpha and beta in.
class Scalar {
 public:
  Scalar(DType type, double value) { store(type, bytes_.data(), 0, value); }
  const void* data() const { return bytes_.data(); }

 private:
  alignas(8) std::array<std::byte, 8> bytes_{};
};

}  // namespace steelyard::gpu
