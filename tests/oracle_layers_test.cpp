// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include "tests/catch.h"
#include "tests/oracle.h"

namespace steelyard {
namespace {

Layer layer(LayerOp op, std::int64_t rows, std::int64_t columns, Pass pass = Pass::forward) {
  return {.op = op,
          .pass = pass,
          .dtype = DType::f64,
          .rows = rows,
          .columns = columns,
          .head_dim = 4,
          .entries = 6,
          .choices = 2};
}

std::vector<HostTensor> random_inputs(const Problem& problem) {
  return make_inputs(problem, Fill::normal, 13);
}

bool has(const std::vector<HostTensor>& tensors, std::string_view name) {
  return std::ranges::count(tensors, name, [](auto& t) { return t.operand.name; }) > 0;
}

double mean_square(const Values& x) {
  return dot(x, x) / static_cast<double>(x.size());
}

double mean(const Values& x) {
  return dot(x, Values(x.size(), 1)) / static_cast<double>(x.size());
}

}  // namespace

TEST_CASE("LayerNorm has mean 0 and a variance of 1 but for epsilon") {
  const Layer p = layer(LayerOp::layer_norm, 1, 50);
  auto inputs = random_inputs(p);
  set(inputs, "weight", Values(50, 1));
  set(inputs, "bias", Values(50, 0));
  Values x = get(inputs, "x");
  for (double& value : x) value = 0.01 * value + 5;
  set(inputs, "x", x);
  const double variance = mean_square(x) - mean(x) * mean(x);
  const Values y = truth(p, inputs, "y");
  CHECK(mean(y) == Approx(0).margin(1e-12));
  CHECK(mean_square(y) == Approx(variance / (variance + 1e-5)));
}

TEST_CASE("RMSNorm has a mean square of 1 but for epsilon and keeps the direction") {
  const Layer p = layer(LayerOp::rms_norm, 1, 50);
  auto inputs = random_inputs(p);
  set(inputs, "weight", Values(50, 1));
  const Values x = get(inputs, "x"), y = truth(p, inputs, "y");
  CHECK(mean_square(y) == Approx(mean_square(x) / (mean_square(x) + 1e-5)));
  CHECK(dot(x, y) == Approx(std::sqrt(dot(x, x) * dot(y, y))));
}

TEST_CASE("norms apply weight and bias column by column") {
  const LayerOp op = GENERATE(LayerOp::rms_norm, LayerOp::layer_norm);
  const Layer p = layer(op, 3, 4);
  auto inputs = random_inputs(p);
  const Values weighted = truth(p, inputs, "y"), weight = get(inputs, "weight");
  const Values bias = op == LayerOp::layer_norm ? get(inputs, "bias") : Values(4, 0);
  set(inputs, "weight", Values(4, 1));
  if (op == LayerOp::layer_norm) set(inputs, "bias", Values(4, 0));
  const Values plain = truth(p, inputs, "y");
  for (std::size_t e = 0; e < plain.size(); ++e)
    CHECK(weighted[e] == Approx(plain[e] * weight[e % 4] + bias[e % 4]));
}

TEST_CASE("backward passes are the derivatives of the forward passes") {
  struct Derivative {
    LayerOp op;
    std::string input, gradient;
  };
  const auto [op, input, name] = GENERATE(
      Derivative{LayerOp::rms_norm, "x", "dx"}, Derivative{LayerOp::rms_norm, "weight", "dweight"},
      Derivative{LayerOp::layer_norm, "x", "dx"},
      Derivative{LayerOp::layer_norm, "weight", "dweight"},
      Derivative{LayerOp::layer_norm, "bias", "dbias"}, Derivative{LayerOp::rope, "x", "dx"},
      Derivative{LayerOp::swiglu, "gate", "dgate"}, Derivative{LayerOp::swiglu, "up", "dup"},
      Derivative{LayerOp::gelu, "x", "dx"});
  CAPTURE(static_cast<int>(op), name);
  const Layer forward = layer(op, 3, 8), backward = layer(op, 3, 8, Pass::backward);
  auto inputs = random_inputs(backward), primal = random_inputs(forward);
  for (HostTensor& tensor : primal)
    if (has(inputs, tensor.operand.name)) tensor = find(inputs, tensor.operand.name);
  const Values expected = gradient(forward, primal, input, "y", get(inputs, "dy"));
  CHECK(largest_difference(truth(backward, inputs, name), expected) < 1e-8);
}

TEST_CASE("the gradient of cross entropy is that of the mean loss, and sums to 0 in each row") {
  const Layer forward = layer(LayerOp::cross_entropy, 3, 5);
  const Layer backward = layer(LayerOp::cross_entropy, 3, 5, Pass::backward);
  auto inputs = random_inputs(backward);
  const Values dlogits = truth(backward, inputs, "dlogits");
  const Values expected = gradient(forward, inputs, "logits", "loss", Values(3, 1.0 / 3));
  CHECK(largest_difference(dlogits, expected) < 1e-9);
  for (int row = 0; row < 3; ++row) {
    double sum = 0;
    for (int j = 0; j < 5; ++j) sum += dlogits[row * 5 + j];
    CHECK(sum == Approx(0).margin(1e-15));
  }
}

TEST_CASE("cross entropy of equal logits is log(classes), however large they are") {
  const Layer p = layer(LayerOp::cross_entropy, 2, 7);
  auto inputs = random_inputs(p);
  set(inputs, "logits", Values(14, 5000));
  CHECK(largest_difference(truth(p, inputs, "loss"), Values(2, std::log(7))) < 1e-12);
}

TEST_CASE("cross entropy of two classes is the softplus of their difference") {
  const Layer p = layer(LayerOp::cross_entropy, 2, 2);
  auto inputs = random_inputs(p);
  set(inputs, "logits", {0.5, 2, 0.5, 2});
  set(inputs, "ids", {0, 1});
  const Values expected = {std::log1p(std::exp(1.5)), std::log1p(std::exp(-1.5))};
  CHECK(largest_difference(truth(p, inputs, "loss"), expected) < 1e-14);
}

TEST_CASE("log probabilities are negative losses") {
  const Layer loss = layer(LayerOp::cross_entropy, 4, 9);
  const Layer logp = layer(LayerOp::log_probabilities, 4, 9);
  auto inputs = random_inputs(loss);
  Values negative = truth(loss, inputs, "loss");
  for (double& value : negative) value = -value;
  CHECK(truth(logp, inputs, "logp") == negative);
}

TEST_CASE("RoPE turns element i and i + head_dim / 2 by the position times a falling frequency") {
  const Layer p = layer(LayerOp::rope, 1, 4);  // frequencies 1 and 10000^(-1/2)
  auto inputs = random_inputs(p);
  set(inputs, "positions", {3});
  set(inputs, "x", {1, 1, 0, 0});
  const Values expected = {std::cos(3), std::cos(0.03), std::sin(3), std::sin(0.03)};
  CHECK(largest_difference(truth(p, inputs, "y"), expected) < 1e-15);
}

TEST_CASE("RoPE keeps lengths, products depend on distance only, and backward undoes it") {
  const Layer p = layer(LayerOp::rope, 2, 8), back = layer(LayerOp::rope, 2, 8, Pass::backward);
  auto inputs = random_inputs(p), other = random_inputs(back);
  const auto product = [](const Values& y) {
    return dot(Values(y.begin(), y.begin() + 8), Values(y.begin() + 8, y.end()));
  };
  const Values x = get(inputs, "x");
  set(inputs, "positions", {2, 7});
  const Values y = truth(p, inputs, "y");
  set(inputs, "positions", {1002, 1007});
  const Values shifted = truth(p, inputs, "y");
  CHECK(dot(y, y) == Approx(dot(x, x)));
  CHECK(largest_difference(y, shifted) > 0.1);
  CHECK(product(shifted) == Approx(product(y)));

  set(other, "dy", y);
  set(other, "positions", {2, 7});
  CHECK(largest_difference(truth(back, other, "dx"), x) < 1e-14);
}

TEST_CASE("GELU is the tanh form: x times the logistic function of 2 u") {
  const Layer p = layer(LayerOp::gelu, 1, 5);
  auto inputs = random_inputs(p);
  set(inputs, "x", {0, 1, -1, 2, -3});
  const Values published = {0, 0.841191990608, -0.158808009392, 1.954597694087, -0.003637392082};
  const Values y = truth(p, inputs, "y");
  CHECK(largest_difference(y, published) < 1e-11);
  Values logistic;
  for (const double x : get(inputs, "x"))
    logistic.push_back(x / (1 + std::exp(-2 * 0.7978845608028654 * (x + 0.044715 * x * x * x))));
  CHECK(largest_difference(y, logistic) < 1e-15);
}

TEST_CASE("SwiGLU gates with x times the logistic function of x") {
  const Layer p = layer(LayerOp::swiglu, 1, 4);
  auto inputs = random_inputs(p);
  set(inputs, "gate", {1, -1, std::log(3), 0});
  set(inputs, "up", {2, 1, 4, 9});
  const Values expected = {2 * 0.7310585786300049, -0.2689414213699951, 3 * std::log(3), 0};
  CHECK(largest_difference(truth(p, inputs, "y"), expected) < 1e-15);
}

TEST_CASE("a bias is added to every row, a residual element by element") {
  const Layer bias = layer(LayerOp::bias_add, 2, 2), residual = layer(LayerOp::residual_add, 2, 2);
  auto inputs = random_inputs(bias), other = random_inputs(residual);
  set(inputs, "x", {1, 2, 3, 4});
  set(inputs, "bias", {10, -20});
  CHECK(truth(bias, inputs, "y") == Values{11, -18, 13, -16});
  set(other, "x", {1, 2, 3, 4});
  set(other, "residual", {10, 20, 30, -40});
  CHECK(truth(residual, other, "y") == Values{11, 22, 33, -36});
  CHECK(reference(residual, other).front().magnitudes == Values{11, 22, 33, 44});
}

TEST_CASE("AdamW steps by the rate against a gradient that has always been the same") {
  const Layer p = layer(LayerOp::adamw, 1, 2);
  auto inputs = random_inputs(p);
  const double history1 = 1 - std::pow(0.9, 9), history2 = 1 - std::pow(0.95, 9);
  set(inputs, "gradient", {3, -0.5});
  set(inputs, "master", {1, 2});
  set(inputs, "moment1", {3 * history1, -0.5 * history1});
  set(inputs, "moment2", {9 * history2, 0.25 * history2});
  const Values expected = {1 - 1e-3 - 1e-4, 2 + 1e-3 - 2e-4};
  CHECK(largest_difference(truth(p, inputs, "master"), expected) < 1e-9);
  CHECK(truth(p, inputs, "weight") == truth(p, inputs, "master"));
}

TEST_CASE("AdamW moments are running means, and decay alone shrinks the weights") {
  const Layer p = layer(LayerOp::adamw, 1, 2);
  auto inputs = random_inputs(p);
  set(inputs, "gradient", {0, 0.5});
  set(inputs, "master", {1, 1});
  set(inputs, "moment1", {0, 0});
  set(inputs, "moment2", {0, 1});
  CHECK(largest_difference(truth(p, inputs, "moment1"), {0, 0.05}) < 1e-15);
  CHECK(largest_difference(truth(p, inputs, "moment2"), {0, 0.9625}) < 1e-15);
  CHECK(truth(p, inputs, "master").front() == Approx(0.9999).epsilon(1e-14));
}

TEST_CASE("every layer's sampled elements are those of the whole, within their magnitudes") {
  const auto op = static_cast<LayerOp>(GENERATE(range(0, static_cast<int>(LayerOp::adamw) + 1)));
  Layer p = layer(op, 24, 32, GENERATE(Pass::forward, Pass::backward));
  p.page_size = GENERATE(0, 4);
  CAPTURE(name(op), name(p.pass));
  const auto inputs = random_inputs(p);
  const auto all = reference(p, inputs), some = reference(p, inputs, 40);
  for (std::size_t output = 0; output < all.size(); ++output) {
    const Expected &whole = all[output], &part = some[output];
    REQUIRE(static_cast<std::int64_t>(whole.values.size()) == elements(whole.operand));
    REQUIRE((whole.magnitudes.empty() || whole.magnitudes.size() == whole.values.size()));
    for (std::size_t e = 0; e < whole.magnitudes.size(); ++e)
      CHECK(std::abs(whole.values[e]) <= whole.magnitudes[e] * (1 + 1e-12));
    REQUIRE(part.elements.empty() == (whole.values.size() <= 40));
    for (std::size_t s = 0; s < part.elements.size(); ++s)
      CHECK(part.values[s] == whole.values[part.elements[s]]);
  }
}

}  // namespace steelyard
