// SPDX-License-Identifier: Apache-2.0
// Symmetric quantisation by row: q = round(x / scale) with scale = amax / largest value of the
// narrow type, 1 for a row of zeros. The truth of q is x / scale: which of its two neighbours is
// the nearest may depend on the last bit of a quotient.
#include <algorithm>
#include <cmath>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {
namespace {

double row_amax(const Layer& p, const HostTensor& x, std::int64_t row) {
  double largest = 0;
  for (const double value : slice(x, row * p.columns, p.columns))
    largest = std::max(largest, std::abs(value));
  return largest;
}

double row_scale(const Layer& p, const HostTensor& x, std::int64_t row) {
  const double amax = row_amax(p, x, row);
  return amax > 0 ? amax / max_value(p.quantised, x.encoding) : 1;
}

}  // namespace

void amax(const Layer& p, Question& question) {
  const HostTensor& x = question.input("x");
  each_element(question.output("amax"), [&](std::int64_t row) { return row_amax(p, x, row); });
}

void quantise(const Layer& p, Question& question) {
  const HostTensor& x = question.input("x");
  each_element(question.output("scale"), [&](std::int64_t row) { return row_scale(p, x, row); });
  each_row(question.output("q"), [&](std::int64_t row) {
    const double scale = row_scale(p, x, row);
    std::vector<double> q = slice(x, row * p.columns, p.columns);
    for (double& value : q) value /= scale;
    return q;
  });
}

void dequantise(const Layer& p, Question& question) {
  const HostTensor &q = question.input("q"), &scale = question.input("scale");
  each_element(question.output("x"),
               [&](std::int64_t e) { return q.at(e) * scale.at(e / p.columns); });
}

}  // namespace steelyard::cpu
