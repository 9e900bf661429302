// SPDX-License-Identifier: Apache-2.0
#include "bench/tolerance.h"

#include <algorithm>
#include <cmath>

namespace steelyard {
namespace {

// Half the distance between neighbours around `value`: one rounding to the output's format. Below
// the normal range the distance stays that of the smallest normal number.
double rounding_of_output(DType type, double value) {
  if (is_integer(type)) return 0;
  constexpr double tiny = 1e-37;  // flushed subnormals of f32 accumulators
  return unit_roundoff(type) * std::abs(value) + tiny;
}

// A sum of n terms with random rounding errors of at most u each strays by about sqrt(n) u of the
// sum of absolute terms; c = 4 leaves room for products rounded before they are added and for any
// order.
double accumulation(double u, std::int64_t terms, double magnitude) {
  constexpr double c = 4;
  return c * std::sqrt(static_cast<double>(std::max<std::int64_t>(terms, 1))) * u * magnitude;
}

// FlashAttention's rule: at most twice the error that the same types cause when everything else is
// exact, plus what f32 scores and sums add.
double attention_tolerance(const Attention& p, double unavoidable, double accumulated,
                           double value) {
  const double u = p.dtype == DType::f64 ? unit_roundoff(DType::f64) : unit_roundoff(DType::f32);
  const double score_error = 4 * std::sqrt(static_cast<double>(p.head_dim)) * u * 16;
  return 2 * unavoidable + 2 * accumulated + score_error * std::max(1.0, std::abs(value));
}

// Nothing is computed, so nothing is rounded.
bool only_moves(const Problem& problem) {
  const auto* memory = std::get_if<Memory>(&problem);
  return std::holds_alternative<Copy>(problem) ||
         (memory != nullptr && memory->op == MemoryOp::copy);
}

}  // namespace

double accumulator_roundoff(const Problem& problem) {
  const DType type = compute_type(problem);
  if (is_integer(type)) {
    const auto* gemm = std::get_if<Gemm>(&problem);
    return gemm != nullptr && !is_integer(gemm->c) ? unit_roundoff(DType::f32) : 0;
  }
  return unit_roundoff(type == DType::f64 ? DType::f64 : DType::f32);
}

double tolerance(const Problem& problem, const Expected& expected, std::size_t i,
                 double unavoidable) {
  if (only_moves(problem)) return 0;
  const double value = expected.values[i];
  const double magnitude = expected.magnitudes.empty() ? std::abs(value) : expected.magnitudes[i];
  const double accumulated = accumulation(accumulator_roundoff(problem), expected.terms, magnitude);
  if (const auto* attention = std::get_if<Attention>(&problem))
    return attention_tolerance(*attention, unavoidable, accumulated, value);
  return rounding_of_output(expected.operand.dtype, value) + accumulated;
}

}  // namespace steelyard
