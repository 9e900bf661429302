// SPDX-License-Identifier: Apache-2.0
// One thread's share of a layer operation: what layer_elements.cpp and the *_rows.cpp, compiled once
// per instruction set, offer to the layers_*.cpp, compiled once.
#pragma once

#include <cstdint>

#include "backends/cpu/store.h"
#include "backends/problem.h"

namespace steelyard::cpu {

struct LayerOperands {
  Layer p;
  void* tensor[8] = {};  // in the order of operands()
  // Of the calling thread. rope: [head_dim] for sines and cosines; gradients of norms: [2][columns].
  // In f64 where tensors are, else in f32.
  void* workspace = nullptr;
  const double* frequencies = nullptr;  // rope: turns per position, [head_dim / 2]

  template <class T>
  T* get(int position) const {
    return static_cast<T*>(tensor[position]);
  }
};

// Computes rows, elements or columns first to end - 1: what a lookup says. Nontemporal stores take
// rows of whole lines.
using LayerFunction = void(const LayerOperands&, std::int64_t first, std::int64_t end);

// The function of an operation, pass and type; null where there is none.
using LayerLookup = LayerFunction*(const Layer&, Store);

// Of elements: activations, residual_add, adamw. Of rows: all others but embedding_scatter, which
// takes columns.
namespace baseline {
LayerLookup layer_elements, norm_rows, loss_rows, rope_rows, quantise_rows, moved_rows, summed_rows,
    routed_rows;
}
namespace v3 {
LayerLookup layer_elements, norm_rows, loss_rows, rope_rows, quantise_rows, moved_rows, summed_rows,
    routed_rows;
}
namespace v4 {
LayerLookup layer_elements, norm_rows, loss_rows, rope_rows, quantise_rows, moved_rows, summed_rows,
    routed_rows;
}
namespace v4_dot {
LayerLookup layer_elements, norm_rows, loss_rows, rope_rows, quantise_rows, moved_rows, summed_rows,
    routed_rows;
}

}  // namespace steelyard::cpu
