// SPDX-License-Identifier: Apache-2.0
// Steps of small models on any device, against the same steps in fp64.
#pragma once

#include <string_view>
#include <vector>

#include "bench/sequence.h"

namespace steelyard {

class StepChecks {
 public:
  // Takes kernels of `kernels` that need not read weights ahead.
  StepChecks(Device& device, const std::vector<Kernel>& kernels)
      : device_(device), kernels_(kernels) {}

  // Whether every operation of a step has a kernel.
  bool takes(const Transformer& model) const;

  // A step on its initial values, of each operation with the first kernel that takes it, or the last.
  Sequence prepare(const Transformer& model, bool last = false, int copies = 1) const;
  std::vector<double> read(const Sequence& sequence, std::string_view tensor) const;

  // The output of a launched step is within the roundings of its operations, with either choice.
  void check_forward(const Transformer& model, std::string_view output) const;

  // The same of narrow weights. Where activations are made narrow too, a value between two numbers of that
  // type may go either way: as much as one more rounding.
  void check_narrow_forward(Transformer model, DType weights, std::string_view output) const;

  // Every gradient of a weight, in norm.
  void check_gradients(const Transformer& model, double bound) const;

  // Decoding the last token of prompts gives the logits of their prefill, which has a wide cache; returns of
  // how many rows, which are those whose best two tokens differ by more than the bound, the token is the same.
  int check_decode(Transformer decode) const;

  // A decode step replayed as a graph leaves what a launched one does, bit by bit.
  void check_graph(const Transformer& decode) const;

 private:
  std::vector<Kernel> able(const Operation& operation) const;
  KernelChoice choice(bool last) const;

  Device& device_;
  const std::vector<Kernel>& kernels_;
};

}  // namespace steelyard
