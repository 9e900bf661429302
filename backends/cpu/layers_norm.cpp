// SPDX-License-Identifier: Apache-2.0
// RMSNorm and LayerNorm, cut into rows. The gradients of the weights are sums over all rows: each
// thread keeps its own, which the team then adds.
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "backends/cpu/kernels.h"
#include "backends/cpu/layers.h"
#include "backends/cpu/threads.h"

namespace steelyard::cpu {
namespace {

constexpr LayerLookups rows = {baseline::norm_rows, v3::norm_rows, v4::norm_rows,
                               v4_dot::norm_rows};

template <class C>
void add_partial_sums(const std::byte* partial, std::int64_t stride, std::int64_t threads,
                      std::int64_t columns, float* to) {
#pragma omp for
  for (std::int64_t column = 0; column < columns; ++column) {
    C sum = 0;
    for (std::int64_t thread = 0; thread < threads; ++thread)
      sum += reinterpret_cast<const C*>(partial + thread * stride)[column];
    to[column] = static_cast<float>(sum);
  }
}

// `partial` holds [threads][2][columns], each thread's at a multiple of `stride` bytes.
void accumulate(LayerOperands operands, LayerFunction* function, std::byte* partial,
                std::int64_t stride, double moved) {
  const Layer& p = operands.p;
  const std::int64_t width = compute_bytes(p);
#pragma omp parallel firstprivate(operands) if (moved >= bytes_worth_dividing)
  {
    const std::int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
    operands.workspace = partial + thread * stride;
    std::memset(operands.workspace, 0, static_cast<std::size_t>(2 * p.columns * width));
    const std::int64_t share = divide_up(p.rows, threads);
    const std::int64_t first = std::min(p.rows, thread * share);
    function(operands, first, std::min(p.rows, first + share));
    __builtin_ia32_sfence();
#pragma omp barrier
    const int sums = p.op == LayerOp::layer_norm ? 2 : 1;
    for (int i = 0; i < sums; ++i) {
      const std::byte* from = partial + i * p.columns * width;
      auto* to = operands.get<float>(4 + i);
      if (p.dtype == DType::f64)
        add_partial_sums<double>(from, stride, threads, p.columns, to);
      else
        add_partial_sums<float>(from, stride, threads, p.columns, to);
    }
  }
}

}  // namespace

std::unique_ptr<Run> prepare_norm(Variant variant, CpuDevice&, const Layer& p,
                                  const Inputs& inputs) {
  return prepare_rows(rows, variant, p, inputs);
}

std::unique_ptr<Run> prepare_norm_gradient(Variant variant, CpuDevice& device, const Layer& p,
                                           const Inputs& inputs) {
  variant = with_lines(variant, output_row_bytes(p));
  LayerFunction* const function = rows.find(variant, p);
  const std::int64_t stride = align(2 * p.columns * compute_bytes(p));
  const auto partial = std::make_shared<Region>(stride * device.info().compute_units);
  const double moved = work(p).bytes;
  return make_layer_run(variant, p, inputs, [=](const LayerOperands& operands) {
    accumulate(operands, function, partial->data(), stride, moved);
  });
}

std::span<const Kernel> norm_kernels() {
  using enum LayerOp;
  static constexpr Kernel table[] = {
      layer_kernel<rms_norm, Pass::forward, baseline::norm_rows, prepare_norm>("cached_row"),
      layer_kernel<layer_norm, Pass::forward, baseline::norm_rows, prepare_norm>("cached_row"),
      layer_kernel<rms_norm, Pass::backward, baseline::norm_rows, prepare_norm_gradient>(
          "partial_sums"),
      layer_kernel<layer_norm, Pass::backward, baseline::norm_rows, prepare_norm_gradient>(
          "partial_sums"),
  };
  return table;
}

}  // namespace steelyard::cpu
