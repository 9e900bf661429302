// SPDX-License-Identifier: Apache-2.0
#include "bench/tolerance.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace steelyard {
namespace {

// Half the distance between subnormal numbers: the smallest pattern is one distance. Kept, since it
// is asked for with every element.
double half_subnormal_step(DType type) {
  static const auto steps = [] {
    std::array<double, static_cast<std::size_t>(DType::int32) + 1> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = decode(static_cast<DType>(i), 1) / 2;
    return all;
  }();
  return steps[static_cast<std::size_t>(type)];
}

// One rounding to the output's format, below the normal range too.
double rounding_of_output(DType type, double value) {
  if (is_integer(type)) return 0;
  constexpr double tiny = 1e-37;  // flushed subnormals of f32 accumulators
  return unit_roundoff(type) * std::abs(value) + std::max(tiny, half_subnormal_step(type));
}

// Exactly half the distance between the neighbours of `value`.
double half_step(DType type, double value) {
  if (is_integer(type)) return 0.5;
  if (value == 0) return half_subnormal_step(type);
  const double in_binade = std::ldexp(unit_roundoff(type), std::ilogb(value));
  return std::max(in_binade, half_subnormal_step(type));
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

// Beside its sums a layer rounds a few times (a division, a square root), and a function such as exp
// may be off by some last bits: together as much as so many terms. A quantised value is the nearest
// of its format to a quotient that is off by as much.
double layer_tolerance(const Layer& p, const Expected& expected, double accumulator, double value,
                       double magnitude) {
  constexpr std::int64_t terms_of_functions = 16;
  const DType type = expected.operand.dtype;
  const double accumulated =
      accumulation(accumulator, expected.terms + terms_of_functions, magnitude);
  if (p.op == LayerOp::quantise && expected.operand.name == "q")
    return half_step(type, value) + accumulated;
  if (is_integer(type)) return 0;  // indices
  return rounding_of_output(type, value) + accumulated;
}

// Nothing is computed: values are as they were, in an fp8 cache the nearest, ties to even.
bool only_moves(const Problem& problem) {
  if (const auto* memory = std::get_if<Memory>(&problem)) return memory->op == MemoryOp::copy;
  if (const auto* layer = std::get_if<Layer>(&problem))
    return layer->op == LayerOp::embedding_gather || layer->op == LayerOp::cache_append ||
           layer->op == LayerOp::permute;
  return std::holds_alternative<Copy>(problem);
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
  const double accumulator = accumulator_roundoff(problem);
  if (const auto* layer = std::get_if<Layer>(&problem))
    return layer_tolerance(*layer, expected, accumulator, value, magnitude);
  const double accumulated = accumulation(accumulator, expected.terms, magnitude);
  if (const auto* attention = std::get_if<Attention>(&problem))
    return attention_tolerance(*attention, unavoidable, accumulated, value);
  return rounding_of_output(expected.operand.dtype, value) + accumulated;
}

}  // namespace steelyard
