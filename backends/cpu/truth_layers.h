// SPDX-License-Identifier: Apache-2.0
// The oracles of LayerOp, by name.
#pragma once

#include "backends/cpu/truth.h"

namespace steelyard::cpu {

using LayerOracle = void(const Layer&, Question&);

LayerOracle bias_add, residual_add;
LayerOracle swiglu, swiglu_backward, gelu, gelu_backward;
LayerOracle rms_norm, rms_norm_backward, layer_norm, layer_norm_backward;
LayerOracle rope, rope_backward;
LayerOracle cross_entropy, cross_entropy_backward, log_probabilities;
LayerOracle embedding_gather, embedding_scatter, cache_append;
LayerOracle route, permute, unpermute;
LayerOracle amax, quantise, dequantise;
LayerOracle adamw_step;

}  // namespace steelyard::cpu
