// SPDX-License-Identifier: Apache-2.0
// Small models of every make.
#pragma once

#include <string>
#include <vector>

#include "backends/problem.h"

namespace steelyard {

inline Transformer of_phase(Transformer model, Phase phase, std::int64_t batch,
                            std::int64_t tokens) {
  model.phase = phase;
  model.batch = batch;
  model.tokens = phase == Phase::decode ? 1 : tokens;
  model.context = tokens;
  return model;
}

inline Transformer tiny(DType type) {
  return {.model = "tiny", .dtype = type, .weights = type};
}

// As GPT-2.
inline Transformer tiny_gpt(DType type) {
  Transformer model = tiny(type);
  model.model = "tiny-gpt";
  model.kv_heads = model.heads;
  model.positions = 64;
  model.layer_norm = model.gelu = model.biases = model.tied_head = true;
  return model;
}

// As Qwen3: norms of heads.
inline Transformer tiny_qwen(DType type) {
  Transformer model = tiny(type);
  model.model = "tiny-qwen";
  model.head_norms = true;
  return model;
}

// With heads as wide as GPUs take them.
inline Transformer with_wide_heads(Transformer model) {
  model.model += "-wide";
  model.heads = 2;
  model.kv_heads = model.kv_heads == 2 ? 1 : 2;
  model.head_dim = 64;
  return model;
}

// As Mixtral.
inline Transformer tiny_experts(DType type) {
  Transformer model = tiny(type);
  model.model = "tiny-experts";
  model.experts = 8;
  model.choices = 2;
  return model;
}

}  // namespace steelyard
