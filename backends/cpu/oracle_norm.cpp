// SPDX-License-Identifier: Apache-2.0
// RMSNorm and LayerNorm of each row of x[rows, columns], with means over the row:
//   n = r (x - mean x), r = 1 / sqrt(mean (x - mean x)^2 + epsilon);  RMSNorm has 0 for mean x
//   y = n weight + bias;                                               RMSNorm has no bias
// and, with g = dy weight, where RMSNorm lacks the term mean g:
//   dx = r (g - mean g - n mean(g n)), dweight = sum_rows dy n, dbias = sum_rows dy
#include <cmath>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {
namespace {

enum class Centre { zero, mean };

Sum mean(const std::vector<double>& x) {
  Sum sum;
  for (const double value : x) sum += value;
  const auto count = static_cast<double>(x.size());
  return {sum.value / count, sum.magnitude / count};
}

struct Normalised {
  double reciprocal;        // r
  std::vector<Sum> values;  // n
};

Normalised normalise(const std::vector<double>& x, Centre centre) {
  const Sum middle = centre == Centre::mean ? mean(x) : Sum{};
  std::vector<double> squares;
  for (const double value : x) squares.push_back((value - middle.value) * (value - middle.value));
  Normalised n = {1 / std::sqrt(mean(squares).value + norm_epsilon)};
  for (const double value : x)
    n.values.push_back({n.reciprocal * (value - middle.value),
                        n.reciprocal * (std::abs(value) + middle.magnitude)});
  return n;
}

void forward(const Layer& p, Question& question, Centre centre) {
  const HostTensor &x = question.input("x"), &weight = question.input("weight");
  const HostTensor* const bias = centre == Centre::mean ? &question.input("bias") : nullptr;
  Expected& y = question.output("y");
  y.terms = p.columns;
  each_row(y, [&](std::int64_t row) {
    std::vector<Sum> values = normalise(slice(x, row * p.columns, p.columns), centre).values;
    for (std::int64_t j = 0; j < p.columns; ++j) {
      values[j].value *= weight.at(j);
      values[j].magnitude *= std::abs(weight.at(j));
      if (bias) values[j] += bias->at(j);
    }
    return values;
  });
}

// One row of dx.
std::vector<Sum> input_gradient(const Normalised& n, const std::vector<double>& g, Centre centre) {
  std::vector<double> products;
  for (std::size_t j = 0; j < g.size(); ++j) products.push_back(g[j] * n.values[j].value);
  const Sum mean_g = centre == Centre::mean ? mean(g) : Sum{}, mean_gn = mean(products);
  std::vector<Sum> dx;
  for (std::size_t j = 0; j < g.size(); ++j) {
    const Sum& nj = n.values[j];
    dx.push_back(
        {n.reciprocal * (g[j] - mean_g.value - nj.value * mean_gn.value),
         n.reciprocal * (std::abs(g[j]) + mean_g.magnitude + nj.magnitude * mean_gn.magnitude)});
  }
  return dx;
}

void backward(const Layer& p, Question& question, Centre centre) {
  const HostTensor &x = question.input("x"), &weight = question.input("weight");
  const HostTensor& dy = question.input("dy");
  Expected& dx = question.output("dx");
  dx.terms = p.columns;
  each_row(dx, [&](std::int64_t row) {
    std::vector<double> g = slice(dy, row * p.columns, p.columns);
    for (std::int64_t j = 0; j < p.columns; ++j) g[j] *= weight.at(j);
    return input_gradient(normalise(slice(x, row * p.columns, p.columns), centre), g, centre);
  });

  std::vector<Sum> dweight(p.columns), dbias(p.columns);
  for (std::int64_t row = 0; row < p.rows; ++row) {
    const Normalised n = normalise(slice(x, row * p.columns, p.columns), centre);
    for (std::int64_t j = 0; j < p.columns; ++j) {
      const double d = dy.at(row * p.columns + j);
      dweight[j].value += d * n.values[j].value;
      dweight[j].magnitude += std::abs(d) * n.values[j].magnitude;
      dbias[j] += d;
    }
  }
  for (const auto& [name, sums] : {std::pair{"dweight", &dweight}, {"dbias", &dbias}}) {
    if (centre == Centre::zero && sums == &dbias) continue;
    Expected& output = question.output(name);
    output.terms = p.rows;
    each_element(output, [&](std::int64_t j) { return (*sums)[j]; });
  }
}

}  // namespace

void rms_norm(const Layer& p, Question& question) {
  forward(p, question, Centre::zero);
}
void rms_norm_backward(const Layer& p, Question& question) {
  backward(p, question, Centre::zero);
}
void layer_norm(const Layer& p, Question& question) {
  forward(p, question, Centre::mean);
}
void layer_norm_backward(const Layer& p, Question& question) {
  backward(p, question, Centre::mean);
}

}  // namespace steelyard::cpu
