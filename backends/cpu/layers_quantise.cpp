// SPDX-License-Identifier: Apache-2.0
// Largest values, quantising and its inverse, cut into rows.
#include "backends/cpu/kernels.h"
#include "backends/cpu/layers.h"

namespace steelyard::cpu {
namespace {

constexpr LayerLookups rows = {baseline::quantise_rows, v3::quantise_rows, v4::quantise_rows,
                               v4_dot::quantise_rows};

template <LayerOp op>
constexpr Kernel by_row(std::string_view name) {
  return layer_kernel<op, Pass::forward, baseline::quantise_rows, prepare_quantise>(name);
}

}  // namespace

std::unique_ptr<Run> prepare_quantise(Variant variant, CpuDevice&, const Layer& p,
                                      const Inputs& inputs) {
  return prepare_rows(rows, variant, p, inputs);
}

std::span<const Kernel> quantise_kernels() {
  static constexpr Kernel table[] = {
      by_row<LayerOp::amax>("stream"),
      by_row<LayerOp::quantise>("cached_row"),
      by_row<LayerOp::dequantise>("stream"),
  };
  return table;
}

}  // namespace steelyard::cpu
