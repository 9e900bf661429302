// SPDX-License-Identifier: Apache-2.0
#include "bench/sequence.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace steelyard {
namespace {

Tensor renamed(Tensor tensor, const Operand& operand) {
  tensor.operand = operand;
  return tensor;
}

// A cache is appended to: what is there already stays the same when a step is repeated.
bool is_updated(const Operation& operation, const Operand& operand) {
  const auto* layer = std::get_if<Layer>(&operation.problem);
  const bool appends = layer != nullptr && layer->op == LayerOp::cache_append;
  return operand.access == Access::inout && !appends;
}

}  // namespace

Sequence::Sequence(Device& device, Step step, const KernelChoice& choose, const StepValues& values,
                   int copies)
    : step_(std::move(step)) {
  for (const Operation& operation : step_.operations) {
    const std::vector<Operand> all = operands(operation.problem);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].access != Access::in)
        rewrites_ |= !written_.insert(operation.tensors[i]).second || is_updated(operation, all[i]);
  }
  for (int copy = 0; copy < copies; ++copy) {
    chains_.emplace_back();
    places_.emplace_back(step_.tensors.size());
    for (const Operation& operation : step_.operations) append(device, operation, choose, values);
  }
}

void Sequence::append(Device& device, const Operation& operation, const KernelChoice& choose,
                      const StepValues& values) {
  std::vector<Tensor>& places = places_.back();
  const std::vector<Operand> all = operands(operation.problem);
  Inputs inputs;
  std::vector<HostTensor> made;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t place = operation.tensors[i];
    if (places[place].data != nullptr) {
      inputs.bound.push_back(renamed(places[place], all[i]));
    } else if (all[i].access != Access::out) {
      auto initial = values(step_, place);
      if (const auto* constant = std::get_if<double>(&initial)) {
        inputs.constants.emplace_back(all[i].name, *constant);
      } else {
        made.push_back(std::get<HostTensor>(std::move(initial)));
        made.back().operand = all[i];
      }
      if (all[i].access == Access::in && written_.contains(place))
        inputs.rewritten.push_back(all[i].name);
    }
  }
  inputs.made = made;
  Part part = {.kernel = choose(operation)};
  part.run = part.kernel.prepare(device, operation.problem, inputs);
  const std::vector<Tensor> tensors = part.run->tensors(0);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (Tensor& tensor = places[operation.tensors[i]]; tensor.data == nullptr) tensor = tensors[i];
  chains_.back().push_back(std::move(part));
}

void Sequence::launch(int copy) {
  for (const Part& part : parts(copy)) part.run->launch(0);
}

std::vector<Tensor> Sequence::tensors(int copy) const {
  std::vector<Tensor> all;
  for (const Part& part : parts(copy))
    std::ranges::move(part.run->tensors(0), std::back_inserter(all));
  return all;
}

void Sequence::reset(int copy, int round) {
  for (const Part& part : parts(copy)) part.run->reset(0, round);
}

std::string Sequence::damage(int copy) const {
  for (std::size_t i = 0; i < step_.operations.size(); ++i)
    if (const std::string found = parts(copy)[i].run->damage(0); !found.empty())
      return fmt::format("{}: {}", step_.operations[i].name, found);
  return {};
}

std::string Sequence::detail() const {
  std::vector<std::string> all;
  for (const Part& part : parts(0))
    if (std::string one = fmt::format("{} ({})", part.kernel.name, name(part.kernel.tier));
        std::ranges::find(all, one) == all.end())
      all.push_back(std::move(one));
  return fmt::format("{}", fmt::join(all, ", "));
}

const Tensor& Sequence::tensor(int copy, std::size_t place) const {
  return places_.at(static_cast<std::size_t>(copy)).at(place);
}

}  // namespace steelyard
