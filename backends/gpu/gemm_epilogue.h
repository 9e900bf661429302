// SPDX-License-Identifier: Apache-2.0
// What happens to the sums of a GEMM on their way to C[m, n]: scales, alpha, beta, one rounding.
#pragma once

#include <type_traits>

#include "backends/gpu/gemm_tile.h"
#include "backends/gpu/number.h"

namespace steelyard::gpu {

// Calls f(C{}) with the storage type of C: the types that products of T are rounded to.
template <class T, class F>
__device__ __forceinline__ void with_output_type(DType type, F f) {
  if constexpr (std::is_same_v<T, double>) {
    f(double{});
  } else if constexpr (std::is_same_v<T, std::int8_t>) {
    if (type == DType::int32) return f(std::int32_t{});
    if (type == DType::f32) return f(float{});
    type == DType::bf16 ? f(bf16{}) : f(f16{});
  } else if constexpr (sizeof(T) == 1) {
    if (type == DType::f32) return f(float{});
    if (type == DType::bf16) return f(bf16{});
    type == DType::f16 ? f(f16{}) : f(T{});
  } else {
    if (type == DType::f32) return f(float{});
    f(T{});
  }
}

// An element of C from its sum. Sums of integers that stay integers have no scales, alpha 1 and
// beta 0.
template <class C, class S>
__device__ __forceinline__ C finish(const Epilogue& e, std::int64_t row, std::int64_t column,
                                    S sum) {
  if constexpr (std::is_same_v<C, std::int32_t>) {
    return sum;
  } else {
    using Number = std::conditional_t<std::is_same_v<S, double>, double, float>;
    Number value = static_cast<Number>(e.alpha) * static_cast<Number>(sum);
    if (e.row_scale != nullptr) value *= e.row_scale[row] * e.column_scale[column];
    if (e.beta != 0) {
      const C old = static_cast<const C*>(e.c)[row * e.n + column];
      if constexpr (std::is_same_v<C, double>)
        value += e.beta * old;
      else
        value += static_cast<float>(e.beta) * to_float(old);
    }
    if constexpr (std::is_same_v<C, double>) {
      return value;
    } else if constexpr (sizeof(C) == 1) {
      C nearest, unused;
      narrow(value, 0.f, nearest, unused);
      return nearest;
    } else {
      return from_float<C>(value);
    }
  }
}

// `count` columns side by side, the first a multiple of `count`: written at once where rows of C
// are multiples of it.
template <class C, class S, int count>
__device__ __forceinline__ void finish_run(const Epilogue& e, std::int64_t row, std::int64_t column,
                                           const S (&sums)[count]) {
  struct alignas(count * sizeof(C)) Run {
    C value[count];
  };
  C* const c = static_cast<C*>(e.c) + row * e.n + column;
  if (e.n % count == 0) {
    Run run;
#pragma unroll
    for (int i = 0; i < count; ++i) run.value[i] = finish<C>(e, row, column + i, sums[i]);
    *reinterpret_cast<Run*>(c) = run;
  } else {
#pragma unroll
    for (int i = 0; i < count; ++i)
      if (column + i < e.n) c[i] = finish<C>(e, row, column + i, sums[i]);
  }
}

}  // namespace steelyard::gpu
