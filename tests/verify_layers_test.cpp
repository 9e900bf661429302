// SPDX-License-Identifier: Apache-2.0
// Verdicts on layers: right kernels pass, wrong ones do not.
#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/catch.h"
#include "tests/judge.h"

namespace steelyard {
namespace {

float at(const Arguments& arguments, std::string_view name, std::int64_t i) {
  const Tensor& tensor = arguments.tensor(name);
  return static_cast<float>(load(tensor.operand.dtype, tensor.data, i));
}

void put(const Arguments& arguments, std::string_view name, std::int64_t i, double value) {
  const Tensor& tensor = arguments.tensor(name);
  store(tensor.operand.dtype, tensor.data, i, value);
}

// Divides in f32; `adjust` changes a quotient before it is rounded.
template <class Adjust>
Verdict judge_quantise(DType quantised, Adjust adjust) {
  const Layer p = {.op = LayerOp::quantise, .rows = 40, .columns = 300, .quantised = quantised};
  return judge(p, [=](const Arguments& arguments) {
    for (std::int64_t row = 0; row < p.rows; ++row) {
      float amax = 0;
      for (std::int64_t j = row * p.columns; j < (row + 1) * p.columns; ++j)
        amax = std::max(amax, std::abs(at(arguments, "x", j)));
      const float scale = amax / static_cast<float>(max_value(quantised));
      put(arguments, "scale", row, scale);
      for (std::int64_t j = row * p.columns; j < (row + 1) * p.columns; ++j)
        put(arguments, "q", j, adjust(at(arguments, "x", j) / scale));
    }
  });
}

constexpr DType narrow_types[] = {DType::int8, DType::fp8_e4m3, DType::fp8_e5m2};

TEST_CASE("a quantised value is the nearest, whichever way a tie falls") {
  for (const DType type : narrow_types) {
    CHECK(judge_quantise(type, [](float q) { return q; }).ok);
    CHECK(judge_quantise(type, [](float q) { return std::nextafter(q, 0.f); }).ok);
    CHECK(judge_quantise(type, [](float q) { return std::nextafter(q, 1e9f); }).ok);
  }
}

TEST_CASE("quantising that truncates or scales wrongly is found") {
  CHECK_FALSE(judge_quantise(DType::int8, [](float q) { return std::trunc(q); }).ok);
  for (const DType type : narrow_types) {
    CHECK_FALSE(judge_quantise(type, [](float q) { return q * 0.999f; }).ok);
    CHECK_FALSE(judge_quantise(type, [](float q) { return q * 1.01f; }).ok);
  }
}

// Mean squares in f32, or rounded to bf16 as they grow.
Verdict judge_rms_norm(DType accumulator) {
  const Layer p = {.op = LayerOp::rms_norm, .rows = 9, .columns = 600};
  return judge(p, [=](const Arguments& arguments) {
    for (std::int64_t row = 0; row < p.rows; ++row) {
      float sum = 0;
      for (std::int64_t j = row * p.columns; j < (row + 1) * p.columns; ++j)
        sum = static_cast<float>(
            round_to(accumulator, sum + at(arguments, "x", j) * at(arguments, "x", j)));
      const float mean = sum / static_cast<float>(p.columns);
      const float r = 1 / std::sqrt(mean + static_cast<float>(norm_epsilon));
      for (std::int64_t j = 0; j < p.columns; ++j)
        put(arguments, "y", row * p.columns + j,
            at(arguments, "x", row * p.columns + j) * r * at(arguments, "weight", j));
    }
  });
}

TEST_CASE("a norm is summed in f32 at least") {
  CHECK(judge_rms_norm(DType::f32).ok);
  CHECK_FALSE(judge_rms_norm(DType::bf16).ok);
}

// Gradients below the normal numbers of f16: (softmax - one hot) / rows.
Verdict judge_gradient(double factor) {
  const Layer p = {.op = LayerOp::cross_entropy,
                   .pass = Pass::backward,
                   .dtype = DType::f16,
                   .rows = 64,
                   .columns = 900};
  return judge(p, [=](const Arguments& arguments) {
    for (std::int64_t row = 0; row < p.rows; ++row) {
      double sum = 0;
      for (std::int64_t j = row * p.columns; j < (row + 1) * p.columns; ++j)
        sum += std::exp(at(arguments, "logits", j));
      for (std::int64_t j = 0; j < p.columns; ++j) {
        const float probability =
            static_cast<float>(std::exp(at(arguments, "logits", row * p.columns + j)) / sum);
        const bool hit = j == arguments.get<std::int32_t>("ids")[row];
        put(arguments, "dlogits", row * p.columns + j,
            factor * (probability - hit) / static_cast<double>(p.rows));
      }
    }
  });
}

TEST_CASE("gradients that are subnormal in their type may be off by half their step, not by more") {
  CHECK(judge_gradient(1).ok);
  CHECK_FALSE(judge_gradient(1.05).ok);
  CHECK_FALSE(judge_gradient(0).ok);
}

Verdict judge_permute(bool swapped) {
  const Layer p = {.op = LayerOp::permute, .rows = 5000, .columns = 2, .entries = 4, .choices = 2};
  return judge(p, [=](const Arguments& arguments) {
    const auto* choice = arguments.get<std::int32_t>("choice");
    auto* place = arguments.get<std::int32_t>("place");
    std::int32_t next = 0;
    for (std::int32_t expert = 0; expert < p.entries; ++expert) {
      arguments.get<std::int32_t>("offsets")[expert] = next;
      for (std::int64_t copy = 0; copy < p.rows * p.choices; ++copy)
        if (choice[copy] == expert) place[copy] = next++;
    }
    arguments.get<std::int32_t>("offsets")[p.entries] = next;
    if (swapped) std::swap(place[9998], place[9999]);
    for (std::int64_t e = 0; e < p.rows * p.choices * p.columns; ++e)
      put(arguments, "y", place[e / p.columns] * p.columns + e % p.columns,
          at(arguments, "x", e / p.columns / p.choices * p.columns + e % p.columns));
  });
}

TEST_CASE("indices are exact, large ones too") {
  CHECK(judge_permute(false).ok);
  CHECK_FALSE(judge_permute(true).ok);
}

}  // namespace
}  // namespace steelyard
