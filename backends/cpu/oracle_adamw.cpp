// SPDX-License-Identifier: Apache-2.0
// AdamW with decoupled decay and corrected bias (Loshchilov, Hutter: Decoupled weight decay
// regularization, 2019), step t with gradient g:
//   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
//   w = w - rate (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + decay w)
#include <cmath>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {

void adamw_step(const Layer&, Question& question) {
  const HostTensor &gradient = question.input("gradient"), &master = question.input("master");
  const HostTensor &moment1 = question.input("moment1"), &moment2 = question.input("moment2");
  const auto t = static_cast<double>(adamw.step);
  const double bias1 = 1 - std::pow(adamw.beta1, t), bias2 = 1 - std::pow(adamw.beta2, t);

  const auto m = [&](std::int64_t e) {
    return sum_of(adamw.beta1 * moment1.at(e), (1 - adamw.beta1) * gradient.at(e));
  };
  const auto v = [&](std::int64_t e) {
    return adamw.beta2 * moment2.at(e) + (1 - adamw.beta2) * gradient.at(e) * gradient.at(e);
  };
  const auto w = [&](std::int64_t e) {
    const double factor = adamw.rate / bias1 / (std::sqrt(v(e) / bias2) + adamw.epsilon);
    Sum sum = sum_of(master.at(e), -adamw.rate * adamw.decay * master.at(e));
    sum.value -= factor * m(e).value;
    sum.magnitude += factor * m(e).magnitude;
    return sum;
  };
  for (const char* name : {"master", "weight"}) {
    question.output(name).terms = 4;
    each_element(question.output(name), w);
  }
  question.output("moment1").terms = 2;
  each_element(question.output("moment1"), m);
  each_element(question.output("moment2"), v);
}

}  // namespace steelyard::cpu
