// SPDX-License-Identifier: Apache-2.0
#include "backends/step_builder.h"

#include <fmt/format.h>

#include <stdexcept>

namespace steelyard {
namespace {

bool is_declared_only(const StepTensor& tensor) {
  return tensor.operand.shape.empty();
}

}  // namespace

void StepBuilder::declare(const StepTensor& tensor) {
  if (places_.emplace(tensor.name, step_.tensors.size()).second) step_.tensors.push_back(tensor);
}

void StepBuilder::declare_copy(const std::string& name, const std::string& weight) {
  declare(
      {.name = name, .role = Role::optimiser, .initial = Initial::copy, .source = place(weight)});
}

void StepBuilder::add(const Problem& problem, std::string name, const Names& tensors, Role output) {
  const std::vector<Operand> all = operands(problem);
  if (all.size() != tensors.size())
    throw std::logic_error(
        fmt::format("{} takes {} tensors, not {}", name, all.size(), tensors.size()));
  Operation operation = {.problem = problem, .name = std::move(name)};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].access != Access::in && !places_.contains(tensors[i]))
      declare({.name = tensors[i], .role = output});
    const std::size_t at = place(tensors[i]);
    StepTensor& tensor = step_.tensors[at];
    if (is_declared_only(tensor)) tensor.operand = all[i];
    if (tensor.operand.dtype != all[i].dtype || elements(tensor.operand) != elements(all[i]))
      throw std::logic_error(
          fmt::format("{}: {} is another tensor elsewhere", operation.name, tensor.name));
    operation.tensors.push_back(at);
  }
  step_.operations.push_back(std::move(operation));
}

std::string StepBuilder::scoped(std::string_view name) const {
  return fmt::format("{}: {}", scope_, name);
}

std::size_t StepBuilder::place(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end())
    throw std::logic_error(fmt::format("no operation so far makes the tensor {}", name));
  return found->second;
}

}  // namespace steelyard
