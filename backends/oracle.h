// SPDX-License-Identifier: Apache-2.0
// The fp64 truth of every problem: plain loops, the reference of every test and of every measured
// row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "backends/inputs.h"

namespace steelyard {

// exact: fp64 throughout. storage: rounded to the problem's types where a kernel must round (the
// probabilities of attention before they meet V, every stored output), else fp64: the error that no
// kernel can avoid.
enum class Rounding { exact, storage };

// One output of a problem as it should be.
struct Expected {
  Operand operand;
  std::vector<std::int64_t> elements;  // flat indices, ascending; empty: all elements in order
  std::vector<double> values;
  // The same expression over absolute values (for C = A B: |A||B|), to which rounding errors are
  // proportional. Empty where an output is not a long sum.
  std::vector<double> magnitudes;
  std::int64_t terms = 1;  // length of that sum
};

// All outputs of a problem; the gradients of attention ignore the given o and lse. `inputs` are
// those of make_inputs or tensors read from a device. With `limit` > 0 an output of more elements
// than that is sampled at sample(operand, limit), and again within the rows that a scatter or a
// cache append writes. Quantised values are x / scale: `exact` leaves their rounding to be judged.
std::vector<Expected> reference(const Problem& problem, std::span<const HostTensor> inputs,
                                std::int64_t limit = 0, Rounding rounding = Rounding::exact);

// About `count` distinct flat indices, ascending, the same for the same arguments: the corners,
// both sides of every tile edge (multiples of 16 and up) of a few rows and columns, the rest at
// random.
std::vector<std::int64_t> sample(const Operand& operand, std::int64_t count);

}  // namespace steelyard
