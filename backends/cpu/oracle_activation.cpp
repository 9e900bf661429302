// SPDX-License-Identifier: Apache-2.0
// Element by element: SwiGLU, GELU, and the additions of a bias and of a residual.
#include <cmath>
#include <numbers>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {
namespace {

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// GELU in the form of GPT-2: x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3).
struct Tanh {
  double t, du;  // tanh u and du/dx

  explicit Tanh(double x) {
    const double slope = std::sqrt(2 / std::numbers::pi);
    t = std::tanh(slope * (x + 0.044715 * x * x * x));
    du = slope * (1 + 3 * 0.044715 * x * x);
  }
};

}  // namespace

void bias_add(const Layer& p, Question& question) {
  const HostTensor &x = question.input("x"), &bias = question.input("bias");
  Expected& y = question.output("y");
  y.terms = 2;
  each_element(y, [&](std::int64_t e) { return sum_of(x.at(e), bias.at(e % p.columns)); });
}

void residual_add(const Layer&, Question& question) {
  const HostTensor &x = question.input("x"), &residual = question.input("residual");
  Expected& y = question.output("y");
  y.terms = 2;
  each_element(y, [&](std::int64_t e) { return sum_of(x.at(e), residual.at(e)); });
}

// y = gate sigmoid(gate) up
void swiglu(const Layer&, Question& question) {
  const HostTensor &gate = question.input("gate"), &up = question.input("up");
  each_element(question.output("y"),
               [&](std::int64_t e) { return gate.at(e) * sigmoid(gate.at(e)) * up.at(e); });
}

// dgate = dy up s (1 + gate (1 - s)) and dup = dy gate s, with s = sigmoid(gate) = 1 - sigmoid(-gate)
void swiglu_backward(const Layer&, Question& question) {
  const HostTensor &gate = question.input("gate"), &up = question.input("up");
  const HostTensor& dy = question.input("dy");
  Expected& dgate = question.output("dgate");
  dgate.terms = 2;
  each_element(dgate, [&](std::int64_t e) {
    const double g = gate.at(e), s = sigmoid(g), factor = dy.at(e) * up.at(e) * s;
    return sum_of(factor, factor * g * sigmoid(-g));
  });
  each_element(question.output("dup"),
               [&](std::int64_t e) { return dy.at(e) * gate.at(e) * sigmoid(gate.at(e)); });
}

void gelu(const Layer&, Question& question) {
  const HostTensor& x = question.input("x");
  Expected& y = question.output("y");
  y.terms = 2;
  each_element(y, [&](std::int64_t e) {
    const double half = x.at(e) / 2;
    return sum_of(half, half * Tanh(x.at(e)).t);
  });
}

// dx = dy ((1 + t) / 2 + x (1 - t^2) u' / 2) with t = tanh u
void gelu_backward(const Layer&, Question& question) {
  const HostTensor &x = question.input("x"), &dy = question.input("dy");
  Expected& dx = question.output("dx");
  dx.terms = 3;
  each_element(dx, [&](std::int64_t e) {
    const auto [t, du] = Tanh(x.at(e));
    const double half = dy.at(e) / 2;
    return sum_of(half, half * t, half * x.at(e) * (1 - t * t) * du);
  });
}

}  // namespace steelyard::cpu
