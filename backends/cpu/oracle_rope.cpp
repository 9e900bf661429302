// SPDX-License-Identifier: Apache-2.0
// Rotary embedding in the half-split form of Llama: element i of a head forms a pair with element
// i + head_dim / 2, which turns by position * rope_base^(-2 i / head_dim).
#include <cmath>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {
namespace {

// The gradient turns back: direction -1.
void rotate(const Layer& p, Question& question, const HostTensor& x, Expected& y,
            double direction) {
  const HostTensor& positions = question.input("positions");
  const std::int64_t half = p.head_dim / 2;
  y.terms = 2;
  each_element(y, [&](std::int64_t e) {
    const std::int64_t d = e % p.columns % p.head_dim, i = d % half;
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(p.head_dim);
    const double angle = direction * positions.at(e / p.columns) * std::pow(rope_base, exponent);
    return d < half ? sum_of(x.at(e) * std::cos(angle), -x.at(e + half) * std::sin(angle))
                    : sum_of(x.at(e) * std::cos(angle), x.at(e - half) * std::sin(angle));
  });
}

}  // namespace

void rope(const Layer& p, Question& question) {
  rotate(p, question, question.input("x"), question.output("y"), 1);
}

void rope_backward(const Layer& p, Question& question) {
  rotate(p, question, question.input("dy"), question.output("dx"), -1);
}

}  // namespace steelyard::cpu
