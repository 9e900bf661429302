// SPDX-License-Identifier: Apache-2.0
// Experts of a mixture: which ones a token goes to, its copies in their order, and its sum of their
// results; all cut into tokens.
#include <algorithm>

#include "backends/cpu/kernels.h"
#include "backends/cpu/layers.h"

namespace steelyard::cpu {
namespace {

constexpr LayerLookups routes = {baseline::routed_rows, v3::routed_rows, v4::routed_rows,
                                 v4_dot::routed_rows};
constexpr LayerLookups moves = {baseline::moved_rows, v3::moved_rows, v4::moved_rows,
                                v4_dot::moved_rows};
constexpr LayerLookups sums = {baseline::summed_rows, v3::summed_rows, v4::summed_rows,
                               v4_dot::summed_rows};

// Where each copy goes, by counting: copies of an expert lie together, in the order of their tokens.
// One thread: a few bytes per token beside the rows that are moved.
void count_places(const LayerOperands& a) {
  const std::int64_t copies = a.p.rows * a.p.choices, experts = a.p.entries;
  const auto* choice = a.get<std::int32_t>(1);
  auto *place = a.get<std::int32_t>(3), *offsets = a.get<std::int32_t>(4);
  std::fill_n(offsets, experts + 1, 0);
  for (std::int64_t copy = 0; copy < copies; ++copy) ++offsets[choice[copy] + 1];
  for (std::int64_t expert = 0; expert < experts; ++expert) offsets[expert + 1] += offsets[expert];
  // Each offset runs to the end of its expert, which is where the next one starts.
  for (std::int64_t copy = 0; copy < copies; ++copy) place[copy] = offsets[choice[copy]]++;
  std::copy_backward(offsets, offsets + experts, offsets + experts + 1);
  offsets[0] = 0;
}

}  // namespace

std::unique_ptr<Run> prepare_route(Variant variant, CpuDevice&, const Layer& p,
                                   const Inputs& inputs) {
  return prepare_rows(routes, variant, p, inputs);
}

std::unique_ptr<Run> prepare_permute(Variant variant, CpuDevice&, const Layer& p,
                                     const Inputs& inputs) {
  variant = with_lines(variant, output_row_bytes(p));
  LayerFunction* const function = moves.find(variant, p);
  const double moved = work(p).bytes;
  return make_layer_run(variant, p, inputs, [=](const LayerOperands& operands) {
    count_places(operands);
    for_each_share(p.rows, 1, moved,
                   [&](std::int64_t first, std::int64_t end) { function(operands, first, end); });
  });
}

std::unique_ptr<Run> prepare_unpermute(Variant variant, CpuDevice&, const Layer& p,
                                       const Inputs& inputs) {
  return prepare_rows(sums, variant, p, inputs);
}

std::span<const Kernel> routing_kernels() {
  using enum LayerOp;
  static constexpr Kernel table[] = {
      layer_kernel<route, Pass::forward, baseline::routed_rows, prepare_route>("insertion"),
      layer_kernel<permute, Pass::forward, baseline::moved_rows, prepare_permute>("counting_sort"),
      layer_kernel<unpermute, Pass::forward, baseline::summed_rows, prepare_unpermute>(
          "weighted_rows"),
  };
  return table;
}

}  // namespace steelyard::cpu
