// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {
namespace {

struct Row {
  LayerOp op;
  LayerOracle* forward;
  LayerOracle* backward = nullptr;  // where the operation has one
};

constexpr Row table[] = {
    {LayerOp::rms_norm, rms_norm, rms_norm_backward},
    {LayerOp::layer_norm, layer_norm, layer_norm_backward},
    {LayerOp::rope, rope, rope_backward},
    {LayerOp::swiglu, swiglu, swiglu_backward},
    {LayerOp::gelu, gelu, gelu_backward},
    {LayerOp::cross_entropy, cross_entropy, cross_entropy_backward},
    {LayerOp::log_probabilities, log_probabilities},
    {LayerOp::bias_add, bias_add},
    {LayerOp::residual_add, residual_add},
    {LayerOp::embedding_gather, embedding_gather},
    {LayerOp::embedding_scatter, embedding_scatter},
    {LayerOp::cache_append, cache_append},
    {LayerOp::route, route},
    {LayerOp::permute, permute},
    {LayerOp::unpermute, unpermute},
    {LayerOp::amax, amax},
    {LayerOp::quantise, quantise},
    {LayerOp::dequantise, dequantise},
    {LayerOp::adamw, adamw_step},
};

}  // namespace

void answer(const Layer& p, Question& question) {
  const Row& row = *std::ranges::find(table, p.op, &Row::op);
  const bool backward = p.pass == Pass::backward && row.backward;
  (backward ? row.backward : row.forward)(p, question);
}

}  // namespace steelyard::cpu
