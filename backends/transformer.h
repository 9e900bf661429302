// SPDX-License-Identifier: Apache-2.0
// A step of a transformer as data: its operations in order, and the tensors that they pass on to
// each other.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "backends/operand.h"

namespace steelyard {

// What a tensor of a step is for.
enum class Role { weight, token, activation, gradient, optimiser, cache };

// What a tensor holds before the first step.
enum class Initial {
  nothing,    // an operation writes it
  random,     // the fill, times `factor`
  constant,   // `factor`
  ids,        // uniform integers in [0, limit)
  positions,  // of each row in its sequence: limit - rows_of_a_sequence + row
  last_rows,  // of every sequence its last row
  pages,      // a permutation of the pages
  copy        // what another tensor holds
};

struct StepTensor {
  std::string name;  // "block 0: q weight"
  Operand operand;   // as the first operation that uses it has it
  Role role = Role::activation;
  Initial initial = Initial::nothing;
  double factor = 1;
  std::int64_t limit = 0;   // of ids and positions
  std::int64_t period = 1;  // positions, last_rows: rows of one sequence
  std::size_t source = 0;   // copy: the place of the other tensor
  bool frozen = false;      // a weight that is not trained
};

struct Operation {
  Problem problem;
  std::vector<std::size_t> tensors;  // of its operands() in their order: places in Step::tensors
  std::string name;                  // "block 0: attention"
};

// Rows of activations are all new tokens of all sequences. A training step leaves the embedding as it
// is: every other weight has a gradient and is updated. The keys and values of a prefill are its
// cache as they are; a decode step appends to one that is full but for the new token.
struct Step {
  std::vector<StepTensor> tensors;
  std::vector<Operation> operations;
};

Step step_of(const Transformer& transformer);

// Of all operations.
Work work(const Step& step);

// Bytes of all tensors of a role, and of all tensors.
double bytes_of(const Step& step, Role role);
double resident_bytes(const Step& step);

// Bytes that a step reads at least once: the cache, and all weights but tables that rows are gathered
// from; of routed experts as many as there are rows for.
double roof_bytes(const Step& step);

// Operations that a model asks for in one step, whatever its kernels do. Training: per token 6 N + 6 L s
// H h with N parameters of matrix products, L blocks, context s and H heads of size h: causal, without
// recomputation (Narayanan et al., arXiv 2104.04473, halved for the mask); 4 of each frozen parameter,
// which has no gradient. Else those of its operations.
double model_flops(const Transformer& t, const Step& step);

}  // namespace steelyard
