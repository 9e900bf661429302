// SPDX-License-Identifier: Apache-2.0
// What the tests of the oracle share: inputs to change by name, answers to read by name,
// derivatives.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "backends/oracle.h"

namespace steelyard {

using Values = std::vector<double>;

inline HostTensor& find(std::vector<HostTensor>& tensors, std::string_view name) {
  return *std::ranges::find(tensors, name, [](auto& t) { return t.operand.name; });
}

inline void set(std::vector<HostTensor>& tensors, std::string_view name, const Values& values) {
  HostTensor& tensor = find(tensors, name);
  store(tensor.operand.dtype, tensor.data.data(), values, tensor.encoding);
}

inline Values get(std::vector<HostTensor>& tensors, std::string_view name) {
  return find(tensors, name).values();
}

inline const Expected& find(const std::vector<Expected>& all, std::string_view name) {
  return *std::ranges::find(all, name, [](auto& e) { return e.operand.name; });
}

// All values of one output.
inline Values truth(const Problem& problem, const std::vector<HostTensor>& inputs,
                    std::string_view output) {
  return find(reference(problem, inputs), output).values;
}

inline double dot(const Values& x, const Values& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

inline double largest_difference(const Values& x, const Values& y) {
  if (x.size() != y.size()) return 1e300;
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double difference = std::abs(x[i] - y[i]);
    if (!(difference <= largest)) largest = difference;  // NaN too
  }
  return largest;
}

// d (direction . output) / d input by central differences of the forward problem. The step suits
// values near 1: the errors of truncation and of rounding are both about 1e-10.
inline Values gradient(const Problem& forward, std::vector<HostTensor> inputs,
                       std::string_view input, std::string_view output, const Values& direction) {
  constexpr double step = 1e-5;
  Values x = get(inputs, input), result;
  const auto objective = [&](double& changed, double by) {
    const double centre = changed;
    changed += by;
    set(inputs, input, x);
    changed = centre;
    return dot(direction, truth(forward, inputs, output));
  };
  for (double& changed : x)
    result.push_back((objective(changed, step) - objective(changed, -step)) / (2 * step));
  return result;
}

}  // namespace steelyard
