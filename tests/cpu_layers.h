// SPDX-License-Identifier: Apache-2.0
// What the tests of the CPU's layers share: every variant of an operation's kernel against the fp64
// truth.
#pragma once

#include <fmt/format.h>

#include <cmath>

#include "backends/cpu/kernels.h"
#include "backends/cpu/layers.h"
#include "tests/catch.h"
#include "tests/oracle.h"

using namespace steelyard;
using namespace steelyard::cpu;

namespace {

inline CpuDevice& device() {
  static CpuDevice opened;
  return opened;
}

inline std::vector<Variant> variants() {
  using enum InstructionSet;
  std::vector<Variant> all;
  for (const InstructionSet set : {baseline, v3, v4, v4_dot})
    if (can_run(set))
      for (const Store store : {Store::temporal, Store::nontemporal}) all.push_back({set, store});
  return all;
}

// What prepares an operation for a variant.
inline LayerPrepare& prepare_of(const Layer& p) {
  using enum LayerOp;
  const bool gradient = p.pass == Pass::backward;
  switch (p.op) {
    case swiglu:
    case gelu:
    case residual_add:
    case LayerOp::adamw:
      return prepare_elementwise;
    case bias_add:
      return prepare_bias_add;
    case rms_norm:
    case layer_norm:
      return gradient ? prepare_norm_gradient : prepare_norm;
    case cross_entropy:
    case log_probabilities:
      return prepare_loss;
    case rope:
      return prepare_rope;
    case amax:
    case quantise:
    case dequantise:
      return prepare_quantise;
    case embedding_gather:
    case cache_append:
      return prepare_moves;
    case embedding_scatter:
      return prepare_embedding_scatter;
    case route:
      return prepare_route;
    case permute:
      return prepare_permute;
    case unpermute:
      return prepare_unpermute;
  }
  throw std::logic_error("an operation without a kernel");
}

// The largest distance of a number from the nearest of a format, in the binade of `value`.
inline double half_step(DType type, double value) {
  if (is_integer(type)) return 0.5;
  const double subnormal = decode(type, 1) / 2;
  return value == 0 ? subnormal
                    : std::max(subnormal, std::ldexp(unit_roundoff(type), std::ilogb(value)));
}

// One rounding to the output, sqrt(n) of the sum, and a few of what a function needs beside it. Near
// the smallest numbers of f32 a logistic function is off by about one of them, times its input.
inline double allowed(const Layer& p, const Expected& expected, std::size_t i) {
  if (p.op == LayerOp::cache_append) return 0;
  const DType type = expected.operand.dtype;
  const double value = expected.values[i];
  const double magnitude = expected.magnitudes.empty() ? std::abs(value) : expected.magnitudes[i];
  const double u = unit_roundoff(p.dtype == DType::f64 ? DType::f64 : DType::f32);
  const double roundings = 8 + 2 * std::sqrt(static_cast<double>(expected.terms));
  const bool rounds = p.op == LayerOp::quantise || !is_integer(type);
  return rounds ? half_step(type, value) * 1.0001 + roundings * u * magnitude + 1e-33 : 0;
}

// The first element out of bounds, in words; empty when all are within.
inline std::string mistake(const Layer& p, const HostTensor& found, const Expected& expected) {
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const double got = found.at(static_cast<std::int64_t>(i)), bound = allowed(p, expected, i);
    if (got != expected.values[i] && !(std::abs(got - expected.values[i]) <= bound))
      return fmt::format("{}[{}] is {} instead of {} +- {}", expected.operand.name, i, got,
                         expected.values[i], bound);
  }
  return {};
}

inline std::string mistake(const Layer& p, Run& run, const std::vector<Expected>& truth) {
  for (const int poison : {0, 1}) {
    run.reset(0, poison);
    run.launch(0);
    if (const std::string damage = run.damage(0); !damage.empty()) return damage;
    const std::vector<Tensor> outputs = run.outputs(0);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (auto wrong = mistake(p, device().read(outputs[i]), truth[i]); !wrong.empty())
        return wrong;
  }
  return {};
}

inline void check_all_variants(const Layer& p, Fill fill = Fill::normal) {
  REQUIRE(fault(p).empty());
  const std::vector<Expected> truth = reference(p, make_inputs(p, fill, Inputs{}.seed));
  for (const Variant& variant : variants()) {
    INFO(id(p) << ' ' << describe(variant) << ' ' << name(fill));
    const auto run = prepare_of(p)(variant, device(), p, {.fill = fill});
    CHECK(mistake(p, *run, truth) == "");
  }
}

// The same on given inputs.
inline void check_all_variants(const Layer& p, std::vector<HostTensor>& inputs) {
  const std::vector<Expected> truth = reference(p, inputs);
  Inputs given;
  for (HostTensor& tensor : inputs) given.bound.push_back({tensor.operand, tensor.data.data()});
  for (const Variant& variant : variants()) {
    INFO(id(p) << ' ' << describe(variant));
    const auto run = prepare_of(p)(variant, device(), p, given);
    CHECK(mistake(p, *run, truth) == "");
  }
}

struct Size {
  std::int64_t rows, columns;
};

constexpr DType all_types[] = {DType::f64, DType::f32, DType::bf16, DType::f16};
constexpr DType types_up_to_f32[] = {DType::f32, DType::bf16, DType::f16};

inline Layer layer(LayerOp op, DType type, Size size, Pass pass = Pass::forward) {
  return {.op = op,
          .pass = pass,
          .dtype = type,
          .rows = size.rows,
          .columns = size.columns,
          .head_dim = size.columns,
          .entries = 11,
          .choices = 3};
}

}  // namespace
