// SPDX-License-Identifier: Apache-2.0
// Cross entropy of logits[rows, columns] against one class per row, and its gradient.
#include <algorithm>
#include <cmath>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {
namespace {

double log_sum_exp(const std::vector<double>& x) {
  const double largest = std::ranges::max(x);
  double sum = 0;
  for (const double value : x) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

// output[row] = sign (logit of the row's class - log sum exp of its logits)
void class_log_probability(const Layer& p, Question& question, Expected& output, double sign) {
  const HostTensor &logits = question.input("logits"), &ids = question.input("ids");
  output.terms = p.columns;
  each_element(output, [&](std::int64_t row) {
    const std::vector<double> x = slice(logits, row * p.columns, p.columns);
    const double logit = x[static_cast<std::int64_t>(ids.at(row))];
    return sum_of(sign * logit, -sign * log_sum_exp(x));
  });
}

}  // namespace

void log_probabilities(const Layer& p, Question& question) {
  class_log_probability(p, question, question.output("logp"), 1);
}

void cross_entropy(const Layer& p, Question& question) {
  class_log_probability(p, question, question.output("loss"), -1);
}

// The gradient of the mean loss over the rows: (softmax - one hot) / rows.
void cross_entropy_backward(const Layer& p, Question& question) {
  const HostTensor &logits = question.input("logits"), &ids = question.input("ids");
  Expected& dlogits = question.output("dlogits");
  dlogits.terms = p.columns;
  each_row(dlogits, [&](std::int64_t row) {
    std::vector<double> x = slice(logits, row * p.columns, p.columns);
    for (const double largest = std::ranges::max(x); double& logit : x) logit -= largest;
    const double lse = log_sum_exp(x);
    const auto rows = static_cast<double>(p.rows);
    std::vector<Sum> gradient;
    for (const double logit : x) gradient.push_back(sum_of(std::exp(logit - lse) / rows));
    gradient[static_cast<std::int64_t>(ids.at(row))] += -1 / rows;
    return gradient;
  });
}

}  // namespace steelyard::cpu
