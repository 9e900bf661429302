// SPDX-License-Identifier: Apache-2.0
// Layers whose elements do not depend on each other, cut into one run of elements per thread.
#include "backends/cpu/kernels.h"
#include "backends/cpu/layers.h"

namespace steelyard::cpu {
namespace {

constexpr LayerLookups elements = {baseline::layer_elements, v3::layer_elements, v4::layer_elements,
                                   v4_dot::layer_elements};
constexpr LayerLookups sums = {baseline::summed_rows, v3::summed_rows, v4::summed_rows,
                               v4_dot::summed_rows};

template <LayerOp op, Pass pass = Pass::forward>
constexpr Kernel stream =
    layer_kernel<op, pass, baseline::layer_elements, prepare_elementwise>("stream");

}  // namespace

std::unique_ptr<Run> prepare_elementwise(Variant variant, CpuDevice&, const Layer& p,
                                         const Inputs& inputs) {
  return prepare_elements(elements, variant, p, inputs);
}

std::unique_ptr<Run> prepare_bias_add(Variant variant, CpuDevice&, const Layer& p,
                                      const Inputs& inputs) {
  return prepare_rows(sums, variant, p, inputs);
}

std::span<const Kernel> elementwise_kernels() {
  using enum LayerOp;
  static constexpr Kernel table[] = {
      stream<swiglu>,
      stream<swiglu, Pass::backward>,
      stream<gelu>,
      stream<gelu, Pass::backward>,
      stream<residual_add>,
      stream<LayerOp::adamw>,
      layer_kernel<bias_add, Pass::forward, baseline::summed_rows, prepare_bias_add>("stream"),
  };
  return table;
}

}  // namespace steelyard::cpu
