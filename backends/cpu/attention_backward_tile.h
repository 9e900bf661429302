// SPDX-License-Identifier: Apache-2.0
// Gradients of attention from a few query rows by one thread: what attention_backward_tile.cpp,
// compiled once per instruction set, offers to attention_backward.cpp, compiled once.
#pragma once

#include "backends/cpu/attention_tile.h"

namespace steelyard::cpu {

struct GradientOperands {
  AttentionOperands forward;  // o and lse are those of these q, k and v
  const void* d_o;            // as q
  void* dq;                   // as q
  void* dk;                   // as k
  void* dv;                   // as k
};

struct GradientKernel {
  // Writes dq of the tile's rows and adds what they contribute to dk and dv of all keys to `sums`:
  // two arrays of f32, [keys rounded up to whole blocks][head_dim].
  void (*accumulate)(const GradientOperands&, const AttentionTile&, float* sums,
                     void* workspace) = nullptr;
  // Adds up `count` such sums, which lie one after the other, and writes dk and dv of the tile's
  // keys.
  void (*finish)(const GradientOperands&, const AttentionTile&, const float* sums,
                 std::int64_t count) = nullptr;
  std::int64_t max_rows = 0;         // of a tile
  std::int64_t workspace_bytes = 0;  // a multiple of 64
};

// Elements of one of the two arrays of sums.
constexpr std::int64_t gradient_sums(const AttentionOperands& a) {
  return (a.keys + attention_key_block - 1) / attention_key_block * attention_key_block *
         a.head_dim;
}

// Empty for a type that no kernel computes.
namespace baseline {
GradientKernel gradient_kernel(DType type);
}
namespace v3 {
GradientKernel gradient_kernel(DType type);
}
namespace v4 {
GradientKernel gradient_kernel(DType type);
}
namespace v4_dot {
GradientKernel gradient_kernel(DType type);
}

}  // namespace steelyard::cpu
