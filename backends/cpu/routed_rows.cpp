// SPDX-License-Identifier: Apache-2.0
// The experts of each token, for the instruction set this file is compiled for.
//
// Idea     One walk over a row of logits that keeps the largest so far in order (insertion sort of a
//          few): most logits fail the first comparison. Only the chosen ones are exponentiated: the
//          softmax over all cancels when weights are renormalised.
// Traffic  Every logit once.
// Limits   One comparison per logit; long lists of choices make the insertion dear.
#include "backends/cpu/layer_simd.h"

namespace steelyard::cpu {
namespace {

// Indices of the `choices` largest of x, largest first; of equal ones the first.
template <class T>
void choose(const T* x, std::int64_t count, std::int64_t choices, std::int32_t* chosen) {
  const auto value = [=](std::int64_t i) { return convert<Compute<T>>(x[i]); };
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const Compute<T> candidate = value(i);
    if (kept == choices && !(candidate > value(chosen[choices - 1]))) continue;
    std::int64_t place = kept < choices ? kept++ : choices - 1;
    for (; place > 0 && candidate > value(chosen[place - 1]); --place)
      chosen[place] = chosen[place - 1];
    chosen[place] = static_cast<std::int32_t>(i);
  }
}

// weight = exp(logit - largest) / their sum over the chosen
template <class T>
[[gnu::flatten]] void route(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const std::int64_t experts = a.p.entries, choices = a.p.choices;
  for (std::int64_t row = first; row < end; ++row) {
    const T* x = a.get<T>(0) + row * experts;
    auto* chosen = a.get<std::int32_t>(1) + row * choices;
    float* weight = a.get<float>(2) + row * choices;
    choose(x, experts, choices, chosen);
    const auto exponential = [=](std::int64_t i) {
      return __builtin_exp(convert<Compute<T>>(x[chosen[i]]) - convert<Compute<T>>(x[chosen[0]]));
    };
    double sum = 0;
    for (std::int64_t i = 0; i < choices; ++i) sum += exponential(i);
    for (std::int64_t i = 0; i < choices; ++i) weight[i] = static_cast<float>(exponential(i) / sum);
  }
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

LayerFunction* routed_rows(const Layer& p, Store store) {
  return with_type(p.dtype, store, []<class T, Store>() -> LayerFunction* { return route<T>; });
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
