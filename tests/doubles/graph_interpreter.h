// SPDX-License-Identifier: Apache-2.0
// Computes a graph of operations on strided tensors of rank 4 plainly, one operation after the other.
// What lies between operations is kept in double: how a fused engine rounds it is its own affair.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <vector>

#include "backends/dtype.h"

namespace steelyard::doubles {

struct GraphTensor {
  std::int64_t id = 0;
  std::array<std::int64_t, 4> dimensions{}, strides{};
  DType type = DType::f32;
  bool is_virtual = false;

  std::int64_t offset(const std::array<std::int64_t, 4>& at) const {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < 4; ++i) sum += at[i] * strides[i];
    return sum;
  }
  std::int64_t span() const {
    std::int64_t last = 0;
    for (std::size_t i = 0; i < 4; ++i) last += (dimensions[i] - 1) * strides[i];
    return last + 1;
  }
};

struct GraphOperation {
  enum Kind { pointwise, reduction, matmul, reshape } kind = pointwise;
  std::vector<GraphTensor> inputs;
  GraphTensor output;
  std::function<double(const std::vector<double>&)> function;  // of pointwise
  int index_axis = -1;                                         // of pointwise; -1: none
  bool takes_largest = false;                                  // of reduction; else the sum
};

class GraphInterpreter {
 public:
  explicit GraphInterpreter(std::map<std::int64_t, void*> memories)
      : memories_(std::move(memories)) {}

  void run(const GraphOperation& operation) {
    switch (operation.kind) {
      case GraphOperation::pointwise:
        return run_pointwise(operation);
      case GraphOperation::reduction:
        return run_reduction(operation);
      case GraphOperation::matmul:
        return run_matmul(operation.inputs[0], operation.inputs[1], operation.output);
      case GraphOperation::reshape:
        return run_reshape(operation.inputs[0], operation.output);
    }
  }

 private:
  using Index = std::array<std::int64_t, 4>;

  template <class F>
  static void for_each(const Index& dimensions, F f) {
    Index at{};
    for (at[0] = 0; at[0] < dimensions[0]; ++at[0])
      for (at[1] = 0; at[1] < dimensions[1]; ++at[1])
        for (at[2] = 0; at[2] < dimensions[2]; ++at[2])
          for (at[3] = 0; at[3] < dimensions[3]; ++at[3]) f(at);
  }

  // Where an element of a larger tensor lies in one with fewer values along some dimension.
  static Index narrowed(Index at, const Index& from, const Index& to) {
    for (std::size_t i = 0; i < 4; ++i) at[i] /= std::max<std::int64_t>(from[i] / to[i], 1);
    return at;
  }

  double raw(const GraphTensor& tensor, std::int64_t offset) const {
    if (tensor.is_virtual) return virtual_.at(tensor.id).at(static_cast<std::size_t>(offset));
    return load(tensor.type, memories_.at(tensor.id), offset);
  }
  double at(const GraphTensor& tensor, const Index& index) const {
    return raw(tensor, tensor.offset(index));
  }
  void put(const GraphTensor& tensor, const Index& index, double value) {
    if (!tensor.is_virtual)
      return store(tensor.type, memories_.at(tensor.id), tensor.offset(index), value);
    std::vector<double>& values = virtual_[tensor.id];
    values.resize(static_cast<std::size_t>(tensor.span()));
    values[static_cast<std::size_t>(tensor.offset(index))] = value;
  }

  void run_pointwise(const GraphOperation& operation) {
    const GraphTensor& y = operation.output;
    for_each(y.dimensions, [&](const Index& index) {
      if (operation.index_axis >= 0)
        return put(y, index,
                   static_cast<double>(index[static_cast<std::size_t>(operation.index_axis)]));
      std::vector<double> arguments;
      for (const GraphTensor& x : operation.inputs)
        arguments.push_back(at(x, narrowed(index, y.dimensions, x.dimensions)));
      put(y, index, operation.function(arguments));
    });
  }

  void run_reduction(const GraphOperation& operation) {
    const GraphTensor &x = operation.inputs[0], &y = operation.output;
    std::map<Index, double> results;
    for_each(x.dimensions, [&](const Index& index) {
      const double value = at(x, index);
      const auto [found, is_new] =
          results.emplace(narrowed(index, x.dimensions, y.dimensions), value);
      if (is_new) return;
      found->second =
          operation.takes_largest ? std::max(found->second, value) : found->second + value;
    });
    for (const auto& [index, value] : results) put(y, index, value);
  }

  void run_matmul(const GraphTensor& a, const GraphTensor& b, const GraphTensor& c) {
    if (a.dimensions[3] != b.dimensions[2] || a.dimensions[2] != c.dimensions[2] ||
        b.dimensions[3] != c.dimensions[3])
      throw std::invalid_argument("the matrices of a product do not fit");
    for_each(c.dimensions, [&](const Index& index) {
      const auto [batch, head, row, column] = index;
      const Index of_a = narrowed({batch, head, 0, 0}, c.dimensions, a.dimensions);
      const Index of_b = narrowed({batch, head, 0, 0}, c.dimensions, b.dimensions);
      double sum = 0;
      for (std::int64_t l = 0; l < a.dimensions[3]; ++l)
        sum += at(a, {of_a[0], of_a[1], row, l}) * at(b, {of_b[0], of_b[1], l, column});
      put(c, index, sum);
    });
  }

  void run_reshape(const GraphTensor& x, const GraphTensor& y) {
    for_each(y.dimensions, [&](const Index& index) { put(y, index, raw(x, y.offset(index))); });
  }

  std::map<std::int64_t, void*> memories_;
  std::map<std::int64_t, std::vector<double>> virtual_;
};

}  // namespace steelyard::doubles
