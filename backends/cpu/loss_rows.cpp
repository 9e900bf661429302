// SPDX-License-Identifier: Apache-2.0
// Cross entropy over rows of logits, for the instruction set this file is compiled for.
//
// Idea     A row in blocks that stay in L1: a block's maximum, then its exponentials; when a block
//          raises the maximum, the sum so far shrinks by the difference (Milakov and Gimelshein,
//          Online normalizer calculation for softmax).
// Traffic  The logits once; for the gradient a second time, from L2 where a row fits.
// Limits   About 20 instructions per vector of logits: with 16-bit logits the core, not memory, may
//          set the pace.
#include "backends/cpu/layer_simd.h"

namespace steelyard::cpu {
namespace {

constexpr std::int64_t block = 2048;      // logits
constexpr double lowest_maximum = -1e30;  // finite: differences of two are numbers

template <class T>
Compute<T> maximum_of(const T* x, std::int64_t count) {
  using C = Compute<T>;
  constexpr auto lowest = static_cast<C>(lowest_maximum);
  Values<T> maximum = Values<T>{} + lowest;
  for_each_step<T>(count, [&](std::int64_t i, auto part) {
    const auto value = part_or<C>(get(x + i, part), lowest, part);
    maximum = larger<C>(value, maximum);
  });
  return largest<C>(maximum);
}

template <class T>
Values<T> exponentials_of(const T* x, std::int64_t count, Compute<T> maximum) {
  Values<T> sum = {};
  for_each_step<T>(count, [&](std::int64_t i, auto part) {
    sum += part_or<Compute<T>>(exp_of<Compute<T>>(get(x + i, part) - maximum), 0, part);
  });
  return sum;
}

// The sum of e^(x - maximum) over a row.
template <class C>
struct Softmax {
  C maximum, sum;
};

template <class T>
Softmax<Compute<T>> softmax(const T* x, std::int64_t columns) {
  using C = Compute<T>;
  auto maximum = static_cast<C>(lowest_maximum);
  Values<T> sum = {};
  for (std::int64_t i = 0; i < columns; i += block) {
    const std::int64_t count = columns - i < block ? columns - i : block;
    if (const C raised = maximum_of(x + i, count); raised > maximum) {
      sum *= static_cast<C>(__builtin_exp(static_cast<double>(maximum - raised)));
      maximum = raised;
    }
    sum += exponentials_of(x + i, count, maximum);
  }
  return {maximum, total<C>(sum)};
}

// sign (logit of the row's class - log sum exp of its logits)
template <class T, int sign>
[[gnu::flatten]] void class_log_probability(const LayerOperands& a, std::int64_t first,
                                            std::int64_t end) {
  for (std::int64_t row = first; row < end; ++row) {
    const T* x = a.get<T>(0) + row * a.p.columns;
    const auto logit = convert<Compute<T>>(x[a.get<std::int32_t>(1)[row]]);
    const auto s = softmax(x, a.p.columns);
    const double log = __builtin_log(static_cast<double>(s.sum));
    a.get<float>(2)[row] = static_cast<float>(sign * (logit - s.maximum - log));
  }
}

// (softmax - one hot) / rows
template <class T, Store how>
[[gnu::flatten]] void gradient(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  using C = Compute<T>;
  const auto rows = static_cast<C>(a.p.rows);
  for (std::int64_t row = first; row < end; ++row) {
    const T* x = a.get<T>(0) + row * a.p.columns;
    T* dx = a.get<T>(2) + row * a.p.columns;
    const auto s = softmax(x, a.p.columns);
    const C scale = 1 / (s.sum * rows);
    for_each_step<T>(a.p.columns, [=](std::int64_t i, auto part) {
      put<how>(dx + i, exp_of<C>(get(x + i, part) - s.maximum) * scale, part);
    });
    const std::int32_t id = a.get<std::int32_t>(1)[row];
    const auto exponential = static_cast<C>(__builtin_exp(convert<C>(x[id]) - s.maximum));
    put(dx + id, Values<T>{} + (exponential - s.sum) * scale, Part{1});
  }
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

LayerFunction* loss_rows(const Layer& p, Store store) {
  return with_type(p.dtype, store, [&]<class T, Store how>() -> LayerFunction* {
    if (p.op == LayerOp::log_probabilities) return class_log_probability<T, 1>;
    return p.pass == Pass::backward ? gradient<T, how> : class_log_probability<T, -1>;
  });
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
