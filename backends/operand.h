// SPDX-License-Identifier: Apache-2.0
// The tensors of a problem: one list serves the input generator, the oracle, every kernel and
// work().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "backends/problem.h"

namespace steelyard {

enum class Access { in, out, inout };

// What an input holds. `values` follow the chosen fill; the others are the same under every fill.
enum class Content {
  values,
  positive,     // absolute values of the fill
  scale,        // uniform in [0.5, 1.5) for random fills, 1 otherwise
  index,        // uniform integers in [0, limit)
  permutation,  // [0, limit) in random order
  choices,      // each row distinct integers of [0, limit)
  positions,    // rows end at the last of `limit` positions: (limit - rows + row) for row < rows
  offsets,      // where each group of a grouped GEMM starts in [0, limit], by its Routing
  cycle,        // one random cycle through every 128-byte line of the array
  derived  // made from other inputs by the device's own forward kernel (O and LSE of a backward
           // pass)
};

struct Operand {
  std::string_view name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  Access access = Access::in;
  Content content = Content::values;
  std::int64_t limit = 0;
};

std::int64_t elements(const Operand& operand);
std::int64_t bytes(const Operand& operand);

// Inputs first, then outputs. Empty for Launch and Transformer, whose parts have their own.
std::vector<Operand> operands(const Problem& problem);

}  // namespace steelyard
