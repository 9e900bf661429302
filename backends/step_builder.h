// SPDX-License-Identifier: Apache-2.0
// Builds a Step operation by operation; tensors are called by their names.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/transformer.h"

namespace steelyard {

class StepBuilder {
 public:
  using Names = std::vector<std::string>;

  // Declares a tensor that holds something before the first step; its operand is that of the first
  // operation to use it. Declared again it stays as it is.
  void declare(const StepTensor& tensor);

  // Declares an optimiser's copy of a weight, which holds the same values.
  void declare_copy(const std::string& name, const std::string& weight);

  // Adds an operation on tensors named in the order of its operands. Outputs that nobody declared
  // are tensors of role `output`. Throws std::logic_error where an input is unknown or two operations
  // disagree on what a tensor is.
  void add(const Problem& problem, std::string name, const Names& tensors,
           Role output = Role::activation);

  void enter(std::string scope) { scope_ = std::move(scope); }  // of the operations that follow
  std::string scoped(std::string_view name) const;              // "block 0: q"
  const StepTensor& tensor(const std::string& name) const { return step_.tensors[place(name)]; }
  const Step& step() const { return step_; }
  Step take() { return std::move(step_); }

 private:
  std::size_t place(const std::string& name) const;

  Step step_;
  std::map<std::string, std::size_t> places_;
  std::string scope_;
};

// Appends the backward pass of all operations so far, in reverse order, from the loss on, and the
// optimiser over every weight that has a gradient.
void add_backward(StepBuilder& builder, DType dtype);

}  // namespace steelyard
