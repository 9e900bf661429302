// SPDX-License-Identifier: Apache-2.0
// Sums of rows, for the instruction set this file is compiled for.
//
// Idea     Whole vectors across a row; a token's copies are summed in registers. The rows of a table
//          of gradients are cut by columns, so that no two threads add to the same element and the
//          order of a sum is that of its rows.
// Traffic  Every row that is named once.
// Limits   A narrow table gives work to columns / 16 threads only.
#include "backends/cpu/layer_simd.h"

namespace steelyard::cpu {
namespace {

// y = x + bias
template <class T, Store how>
[[gnu::flatten]] void bias_add(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const T* bias = a.get<T>(1);
  for (std::int64_t row = first; row < end; ++row) {
    const T* x = a.get<T>(0) + row * a.p.columns;
    T* y = a.get<T>(2) + row * a.p.columns;
    for_each_step<T>(a.p.columns, [=](std::int64_t i, auto part) {
      put<how>(y + i, get(x + i, part) + get(bias + i, part), part);
    });
  }
}

// x[token] = sum over copies of weight[token, copy] y[place[token, copy]]
template <class T, Store how>
[[gnu::flatten]] void unpermute(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const std::int64_t columns = a.p.columns, choices = a.p.choices;
  for (std::int64_t token = first; token < end; ++token) {
    const auto* place = a.get<std::int32_t>(1) + token * choices;
    const float* weight = a.get<float>(2) + token * choices;
    const T* y = a.get<T>(0);
    T* x = a.get<T>(3) + token * columns;
    for_each_step<T>(columns, [=](std::int64_t i, auto part) {
      Values<T> sum = {};
      for (std::int64_t copy = 0; copy < choices; ++copy)
        sum += static_cast<Compute<T>>(weight[copy]) * get(y + place[copy] * columns + i, part);
      put<how>(x + i, sum, part);
    });
  }
}

// dtable[ids[row], first to end - 1] += dy[row, first to end - 1]
template <class T>
[[gnu::flatten]] void embedding_scatter(const LayerOperands& a, std::int64_t first,
                                        std::int64_t end) {
  const std::int64_t columns = a.p.columns;
  for (std::int64_t row = 0; row < a.p.rows; ++row) {
    const T* dy = a.get<T>(0) + row * columns + first;
    float* dtable = a.get<float>(2) + a.get<std::int32_t>(1)[row] * columns + first;
    for_each_step<T>(end - first, [=](std::int64_t i, auto part) {
      put(dtable + i, get(dtable + i, part) + get(dy + i, part), part);
    });
  }
}

template <class T, Store how>
LayerFunction* function_for(LayerOp op) {
  if (op == LayerOp::bias_add) return bias_add<T, how>;
  if (op == LayerOp::unpermute) return unpermute<T, how>;
  if constexpr (sizeof(T) < sizeof(double)) return embedding_scatter<T>;
  return nullptr;
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

LayerFunction* summed_rows(const Layer& p, Store store) {
  return with_type(p.dtype, store,
                   [&]<class T, Store how>() { return function_for<T, how>(p.op); });
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
