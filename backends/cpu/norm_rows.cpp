// SPDX-License-Identifier: Apache-2.0
// RMSNorm and LayerNorm of whole rows, for the instruction set this file is compiled for.
//
// Idea     A row stays in L1 between the pass that sums and the pass that scales; the second pass
//          prefetches the next row, so that memory does not rest. Deviations are summed after the
//          mean is known, without cancellation.
// Traffic  Every element of x, dy, y and dx once. Gradients of the weights are summed per thread, in
//          its cache, and over the threads by layers_norm.cpp.
// Limits   Rows beyond L2 are read twice from memory.
#include "backends/cpu/layer_simd.h"

namespace steelyard::cpu {
namespace {

enum class Centre { zero, mean };

// Sum of f(i, part), a vector, over a row; several partial sums keep the adders busy.
template <class T, class F>
Compute<T> sum_of(std::int64_t count, F f) {
  constexpr int partial_sums = 4;
  constexpr std::int64_t step = partial_sums * width<T>;
  Values<T> sums[partial_sums] = {};
  std::int64_t i = 0;
  for (; i + step <= count; i += step)
#pragma GCC unroll 4
    for (int s = 0; s < partial_sums; ++s) sums[s] += f(i + s * width<T>, Whole{});
  for_each_step<T>(count - i, [&](std::int64_t j, auto part) {
    sums[0] += part_or<Compute<T>>(f(i + j, part), 0, part);
  });
  return total<Compute<T>>((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <class T, Centre centre>
Compute<T> mean_of(const T* x, std::int64_t columns) {
  if constexpr (centre == Centre::zero) return 0;
  return sum_of<T>(columns, [=](std::int64_t i, auto part) { return get(x + i, part); }) /
         static_cast<Compute<T>>(columns);
}

template <class C>
C reciprocal_root(C sum_of_squares, std::int64_t columns) {
  const auto mean = static_cast<double>(sum_of_squares) / static_cast<double>(columns);
  return static_cast<C>(1 / __builtin_sqrt(mean + norm_epsilon));
}

// y = (x - mean) r weight + bias
template <class T, Store how, Centre centre>
[[gnu::flatten]] void forward(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  using C = Compute<T>;
  const std::int64_t columns = a.p.columns;
  const T *weight = a.get<T>(1), *bias = a.get<T>(2);  // RMSNorm: the place of y
  for (std::int64_t row = first; row < end; ++row) {
    const T* x = a.get<T>(0) + row * columns;
    T* y = a.get<T>(centre == Centre::mean ? 3 : 2) + row * columns;
    const C mean = mean_of<T, centre>(x, columns);
    const C squares = sum_of<T>(columns, [=](std::int64_t i, auto part) {
      const auto deviation = get(x + i, part) - mean;
      return deviation * deviation;
    });
    const C r = reciprocal_root(squares, columns);
    for_each_step<T>(columns, [=](std::int64_t i, auto part) {
      prefetch(x + columns, i);
      auto value = (get(x + i, part) - mean) * r * get(weight + i, part);
      if constexpr (centre == Centre::mean) value += get(bias + i, part);
      put<how>(y + i, value, part);
    });
  }
}

// Sums over a row, with deviations d of x from the mean and g = dy weight.
template <class C>
struct Sums {
  C squares, g, gd;  // of d d, g and g d
};

template <class T>
Sums<Compute<T>> sums_of(const T* x, const T* dy, const T* weight, Compute<T> mean,
                         std::int64_t columns) {
  Values<T> squares = {}, g_sum = {}, gd = {};
  for_each_step<T>(columns, [&](std::int64_t i, auto part) {
    const auto d = part_or<Compute<T>>(get(x + i, part) - mean, 0, part);
    const auto g = get(dy + i, part) * get(weight + i, part);
    squares += d * d;
    g_sum += g;
    gd += g * d;
  });
  return {total<Compute<T>>(squares), total<Compute<T>>(g_sum), total<Compute<T>>(gd)};
}

// With n = d r: dx = r (g - mean g - n mean(g n)), and dweight += dy n, dbias += dy in the
// workspace, [2][columns].
template <class T, Store how, Centre centre>
[[gnu::flatten]] void backward(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  using C = Compute<T>;
  const std::int64_t columns = a.p.columns;
  const T* weight = a.get<T>(1);
  auto *dweight = static_cast<C*>(a.workspace), *dbias = dweight + columns;
  for (std::int64_t row = first; row < end; ++row) {
    const T *x = a.get<T>(0) + row * columns, *dy = a.get<T>(2) + row * columns;
    T* dx = a.get<T>(3) + row * columns;
    const C mean = mean_of<T, centre>(x, columns);
    const Sums<C> sums = sums_of(x, dy, weight, mean, columns);
    const C r = reciprocal_root(sums.squares, columns), per_column = 1 / static_cast<C>(columns);
    const C mean_g = centre == Centre::mean ? sums.g * per_column : 0;
    const C mean_gn = sums.gd * r * per_column;
    for_each_step<T>(columns, [=](std::int64_t i, auto part) {
      prefetch(x + columns, i);
      prefetch(dy + columns, i);
      const auto n = (get(x + i, part) - mean) * r, d = get(dy + i, part);
      put<how>(dx + i, r * (d * get(weight + i, part) - mean_g - n * mean_gn), part);
      put(dweight + i, get(dweight + i, part) + d * n, part);
      if constexpr (centre == Centre::mean) put(dbias + i, get(dbias + i, part) + d, part);
    });
  }
}

template <class T, Store how, Centre centre>
LayerFunction* function_for(Pass pass) {
  return pass == Pass::backward ? backward<T, how, centre> : forward<T, how, centre>;
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

LayerFunction* norm_rows(const Layer& p, Store store) {
  return with_type(p.dtype, store, [&]<class T, Store how>() {
    return p.op == LayerOp::rms_norm ? function_for<T, how, Centre::zero>(p.pass)
                                     : function_for<T, how, Centre::mean>(p.pass);
  });
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
