// SPDX-License-Identifier: Apache-2.0
// Rotary embedding, cut into rows. Its frequencies are constants of the model, made once.
#include <omp.h>

#include <cmath>
#include <numbers>

#include "backends/cpu/kernels.h"
#include "backends/cpu/layers.h"

namespace steelyard::cpu {
namespace {

constexpr LayerLookups rows = {baseline::rope_rows, v3::rope_rows, v4::rope_rows,
                               v4_dot::rope_rows};

// Turns per position of each pair of a head.
std::vector<double> frequencies(std::int64_t head_dim) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < head_dim / 2; ++i) {
    const double exponent = -2 * static_cast<double>(i) / static_cast<double>(head_dim);
    all.push_back(std::pow(rope_base, exponent) / (2 * std::numbers::pi));
  }
  return all;
}

}  // namespace

std::unique_ptr<Run> prepare_rope(Variant variant, CpuDevice& device, const Layer& p,
                                  const Inputs& inputs) {
  variant = with_lines(variant, bytes(p.dtype, p.head_dim / 2));  // a head is written in halves
  LayerFunction* const function = rows.find(variant, p);
  const std::int64_t stride = align(p.head_dim * compute_bytes(p));
  const auto tables = std::make_shared<Region>(stride * device.info().compute_units);
  const auto turns = std::make_shared<const std::vector<double>>(frequencies(p.head_dim));
  const double moved = work(p).bytes;
  return make_layer_run(variant, p, inputs, [=](const LayerOperands& operands) {
    for_each_share(p.rows, 1, moved, [&](std::int64_t first, std::int64_t end) {
      LayerOperands mine = operands;
      mine.workspace = tables->data() + omp_get_thread_num() * stride;
      mine.frequencies = turns->data();
      function(mine, first, end);
    });
  });
}

std::span<const Kernel> rope_kernels() {
  static constexpr Kernel table[] = {
      layer_kernel<LayerOp::rope, Pass::forward, baseline::rope_rows, prepare_rope>("row_table"),
      layer_kernel<LayerOp::rope, Pass::backward, baseline::rope_rows, prepare_rope>("row_table"),
  };
  return table;
}

}  // namespace steelyard::cpu
