// SPDX-License-Identifier: Apache-2.0
// Rows of tables: embeddings and their gradients, and the cache that a new token is appended to.
#include "backends/cpu/kernels.h"
#include "backends/cpu/layers.h"

namespace steelyard::cpu {
namespace {

constexpr LayerLookups moves = {baseline::moved_rows, v3::moved_rows, v4::moved_rows,
                                v4_dot::moved_rows};
constexpr LayerLookups sums = {baseline::summed_rows, v3::summed_rows, v4::summed_rows,
                               v4_dot::summed_rows};

}  // namespace

std::unique_ptr<Run> prepare_moves(Variant variant, CpuDevice&, const Layer& p,
                                   const Inputs& inputs) {
  return prepare_rows(moves, variant, p, inputs);
}

// Rows may name the same row of the table: threads share out its columns.
std::unique_ptr<Run> prepare_embedding_scatter(Variant variant, CpuDevice&, const Layer& p,
                                               const Inputs& inputs) {
  variant.store = Store::temporal;  // what is added to has been read
  constexpr std::int64_t line = tensor_alignment / sizeof(float);
  LayerFunction* const function = sums.find(variant, p);
  const double moved = work(p).bytes;
  return make_layer_run(variant, p, inputs, [=](const LayerOperands& operands) {
    for_each_share(p.columns, line, moved,
                   [&](std::int64_t first, std::int64_t end) { function(operands, first, end); });
  });
}

std::span<const Kernel> embedding_kernels() {
  using enum LayerOp;
  static constexpr Kernel table[] = {
      layer_kernel<embedding_gather, Pass::forward, baseline::moved_rows, prepare_moves>(
          "copy_rows"),
      layer_kernel<cache_append, Pass::forward, baseline::moved_rows, prepare_moves>("copy_rows"),
      layer_kernel<embedding_scatter, Pass::forward, baseline::summed_rows,
                   prepare_embedding_scatter>("column_slices"),
  };
  return table;
}

}  // namespace steelyard::cpu
