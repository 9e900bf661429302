// SPDX-License-Identifier: Apache-2.0
// Cross entropy, its gradient and log probabilities, cut into rows.
#include "backends/cpu/kernels.h"
#include "backends/cpu/layers.h"

namespace steelyard::cpu {
namespace {

constexpr LayerLookups rows = {baseline::loss_rows, v3::loss_rows, v4::loss_rows,
                               v4_dot::loss_rows};

template <LayerOp op, Pass pass = Pass::forward>
constexpr Kernel online_softmax =
    layer_kernel<op, pass, baseline::loss_rows, prepare_loss>("online_softmax");

}  // namespace

std::unique_ptr<Run> prepare_loss(Variant variant, CpuDevice&, const Layer& p,
                                  const Inputs& inputs) {
  return prepare_rows(rows, variant, p, inputs);
}

std::span<const Kernel> loss_kernels() {
  static constexpr Kernel table[] = {
      online_softmax<LayerOp::cross_entropy>,
      online_softmax<LayerOp::cross_entropy, Pass::backward>,
      online_softmax<LayerOp::log_probabilities>,
  };
  return table;
}

}  // namespace steelyard::cpu
