// SPDX-License-Identifier: Apache-2.0
// A step in fp64: every operation by its oracle, on what the oracles before it gave.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "backends/oracle.h"
#include "bench/step_values.h"

namespace steelyard {

inline double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

class StepOracle {
 public:
  // Starts from the values that a Sequence starts from.
  explicit StepOracle(Step step, Encoding encoding = Encoding::ocp) : step_(std::move(step)) {
    for (std::size_t place = 0; place < step_.tensors.size(); ++place)
      tensors_.push_back(wide(initial_values(step_, place, Fill::normal, 42, encoding)));
  }

  const Step& step() const { return step_; }

  std::size_t place(std::string_view name) const {
    const auto found = std::ranges::find(step_.tensors, name, &StepTensor::name);
    if (found == step_.tensors.end()) throw std::out_of_range(std::string(name));
    return static_cast<std::size_t>(found - step_.tensors.begin());
  }

  std::vector<double> values(std::string_view name) const { return tensors_[place(name)].values(); }

  void set(std::string_view name, const std::vector<double>& values) {
    HostTensor& tensor = tensors_[place(name)];
    store(tensor.operand.dtype, tensor.data.data(), values);
  }

  void run() { run(step_.operations.size()); }

  // The first `count` operations.
  void run(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) run(step_.operations[i]);
  }

 private:
  static HostTensor wide(const HostTensor& tensor) {
    if (is_integer(tensor.operand.dtype)) return tensor;
    HostTensor result = {tensor.operand, {}, tensor.encoding};
    result.operand.dtype = DType::f64;
    result.data = HostBytes(bytes(result.operand));
    store(DType::f64, result.data.data(), tensor.values());
    return result;
  }

  void run(const Operation& operation) {
    const std::vector<Operand> all = operands(operation.problem);
    std::vector<HostTensor> inputs;
    std::vector<std::size_t> written;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t place = operation.tensors[i];
      if (all[i].access != Access::in) written.push_back(place);
      if (all[i].access == Access::out) continue;
      HostTensor input = tensors_[place];
      const DType type = input.operand.dtype;
      input.operand = all[i];
      input.operand.dtype = type;
      inputs.push_back(std::move(input));
    }
    const std::vector<Expected> outputs = reference(operation.problem, inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      HostTensor& tensor = tensors_[written[i]];
      store(tensor.operand.dtype, tensor.data.data(), outputs[i].values);
    }
  }

  Step step_;
  std::vector<HostTensor> tensors_;
};

}  // namespace steelyard
