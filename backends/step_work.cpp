// SPDX-License-Identifier: Apache-2.0
// What a step takes, counted from its operations and tensors.
#include <algorithm>
#include <map>
#include <set>

#include "backends/transformer.h"

namespace steelyard {
namespace {

// Of routed experts those that there are rows for.
double share_read(const Problem& problem) {
  const auto* gemm = std::get_if<Gemm>(&problem);
  if (gemm == nullptr) return 1;
  return static_cast<double>(std::min(gemm->m, gemm->groups)) / static_cast<double>(gemm->groups);
}

bool only_gathers(const Problem& problem) {
  const auto* layer = std::get_if<Layer>(&problem);
  return layer != nullptr && layer->op == LayerOp::embedding_gather;
}

}  // namespace

Work work(const Step& step) {
  Work total;
  for (const Operation& operation : step.operations) {
    const Work w = work(operation.problem);
    total.flops += w.flops;
    total.bytes += w.bytes;
  }
  return total;
}

double bytes_of(const Step& step, Role role) {
  double total = 0;
  for (const StepTensor& tensor : step.tensors)
    if (tensor.role == role) total += static_cast<double>(bytes(tensor.operand));
  return total;
}

double resident_bytes(const Step& step) {
  double total = 0;
  for (const StepTensor& tensor : step.tensors) total += static_cast<double>(bytes(tensor.operand));
  return total;
}

double roof_bytes(const Step& step) {
  std::map<std::size_t, double> read;  // weights by their places, each once
  for (const Operation& operation : step.operations)
    for (const std::size_t place : operation.tensors)
      if (step.tensors[place].role == Role::weight && !only_gathers(operation.problem))
        read[place] = share_read(operation.problem);
  double total = bytes_of(step, Role::cache);
  for (const auto& [place, share] : read)
    total += share * static_cast<double>(bytes(step.tensors[place].operand));
  return total;
}

double model_flops(const Transformer& t, const Step& step) {
  if (!trains(t.phase)) return work(step).flops;
  std::set<std::size_t> multiplied;
  for (const Operation& operation : step.operations)
    if (std::holds_alternative<Gemm>(operation.problem)) multiplied.insert(operation.tensors[1]);
  double per_token = 6 * static_cast<double>(t.layers * t.context * t.heads * t.head_dim);
  for (const std::size_t place : multiplied) {
    const StepTensor& weight = step.tensors[place];
    if (weight.role == Role::weight)
      per_token += (weight.frozen ? 4 : 6) * static_cast<double>(elements(weight.operand));
  }
  return static_cast<double>(t.batch * t.tokens) * per_token;
}

}  // namespace steelyard
