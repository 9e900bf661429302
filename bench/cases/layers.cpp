// SPDX-License-Identifier: Apache-2.0
#include "bench/suites.h"

namespace steelyard {
namespace {

using enum LayerOp;

Layer layer(LayerOp op, DType type, std::int64_t rows, std::int64_t columns,
            Pass pass = Pass::forward) {
  return {.op = op, .pass = pass, .dtype = type, .rows = rows, .columns = columns};
}

Layer gradient(LayerOp op, DType type, std::int64_t rows, std::int64_t columns) {
  return layer(op, type, rows, columns, Pass::backward);
}

// A table of `entries` rows: embeddings.
Layer table(LayerOp op, DType type, std::int64_t rows, std::int64_t columns, std::int64_t entries) {
  Layer p = layer(op, type, rows, columns);
  p.entries = entries;
  return p;
}

Layer narrow(LayerOp op, DType type, std::int64_t rows, std::int64_t columns, DType quantised) {
  Layer p = layer(op, type, rows, columns);
  p.quantised = quantised;
  return p;
}

// One token for each sequence, 8 heads of 128 in a cache of `context`.
Layer append(DType type, std::int64_t sequences, std::int64_t context, std::int64_t page_size) {
  Layer p = layer(cache_append, type, sequences, 1024);
  p.entries = context;
  p.page_size = page_size;
  return p;
}

// The operations around the experts of Mixtral 8x7B (8 experts, 2 per token) and of Qwen3-30B-A3B
// (128, 8).
void experts(std::vector<Problem>& all, DType type, std::int64_t rows, std::int64_t columns,
             std::int64_t entries, std::int64_t choices) {
  for (const LayerOp op : {route, permute, unpermute}) {
    Layer p = layer(op, type, rows, columns);
    p.entries = entries;
    p.choices = choices;
    all.push_back(p);
  }
}

// Llama-3-8B on `tokens` rows: width 4096, 32 and 8 heads of 128, MLP of 14336.
void llama_8b(std::vector<Problem>& all, DType type, std::int64_t tokens) {
  all.push_back(layer(rms_norm, type, tokens, 4096));
  all.push_back(layer(rope, type, tokens, 4096));
  all.push_back(layer(rope, type, tokens, 1024));
  all.push_back(layer(swiglu, type, tokens, 14336));
  all.push_back(layer(residual_add, type, tokens, 4096));
}

void llama_8b_backward(std::vector<Problem>& all, DType type, std::int64_t tokens) {
  all.push_back(gradient(rms_norm, type, tokens, 4096));
  all.push_back(gradient(rope, type, tokens, 4096));
  all.push_back(gradient(swiglu, type, tokens, 14336));
}

// GPT-2 (124M): width 768, MLP of 3072, biases.
void gpt2(std::vector<Problem>& all, DType type, std::int64_t tokens) {
  all.push_back(layer(layer_norm, type, tokens, 768));
  all.push_back(gradient(layer_norm, type, tokens, 768));
  all.push_back(layer(bias_add, type, tokens, 3072));
  all.push_back(layer(gelu, type, tokens, 3072));
  all.push_back(gradient(gelu, type, tokens, 3072));
}

void losses(std::vector<Problem>& all, DType type, std::int64_t rows, std::int64_t vocabulary) {
  all.push_back(layer(cross_entropy, type, rows, vocabulary));
  all.push_back(gradient(cross_entropy, type, rows, vocabulary));
  all.push_back(layer(log_probabilities, type, rows, vocabulary));
}

void embeddings(std::vector<Problem>& all, DType type, std::int64_t rows, std::int64_t width,
                std::int64_t vocabulary) {
  all.push_back(table(embedding_gather, type, rows, width, vocabulary));
  all.push_back(table(embedding_scatter, type, rows, width, vocabulary));
}

void conversions(std::vector<Problem>& all, DType type, std::int64_t rows, std::int64_t columns) {
  all.push_back(layer(amax, type, rows, columns));
  for (const DType quantised : {DType::fp8_e4m3, DType::fp8_e5m2, DType::int8})
    for (const LayerOp op : {quantise, dequantise})
      all.push_back(narrow(op, type, rows, columns, quantised));
}

// A sample of each kind of traffic, of tensors beyond the last-level cache of most CPUs.
void brief(std::vector<Problem>& all) {
  all.push_back(layer(rms_norm, DType::bf16, 8192, 4096));
  all.push_back(layer(swiglu, DType::bf16, 2048, 14336));
  all.push_back(layer(residual_add, DType::bf16, 8192, 4096));
  all.push_back(layer(LayerOp::adamw, DType::bf16, 1024, 4096));
}

std::vector<Problem> problems(Suite suite) {
  std::vector<Problem> all;
  switch (suite) {
    case Suite::quick:
      brief(all);
      all.push_back(gradient(rms_norm, DType::bf16, 2048, 4096));
      all.push_back(layer(rope, DType::bf16, 8192, 4096));
      all.push_back(layer(cross_entropy, DType::bf16, 256, 50257));
      all.push_back(narrow(quantise, DType::bf16, 4096, 4096, DType::fp8_e4m3));
      break;
    case Suite::gate:
      brief(all);
      all.push_back(narrow(quantise, DType::bf16, 4096, 4096, DType::fp8_e4m3));
      break;
    case Suite::standard:
      llama_8b(all, DType::bf16, 8192);
      llama_8b_backward(all, DType::bf16, 8192);
      gpt2(all, DType::bf16, 8192);
      losses(all, DType::bf16, 2048, 128256);
      embeddings(all, DType::bf16, 8192, 4096, 128256);
      experts(all, DType::bf16, 8192, 4096, 8, 2);
      conversions(all, DType::bf16, 8192, 4096);
      for (const std::int64_t page_size : {0, 16})
        all.push_back(append(DType::bf16, 64, 4096, page_size));
      for (const DType type : {DType::bf16, DType::f32})
        all.push_back(layer(LayerOp::adamw, type, 4096, 4096));
      break;
    case Suite::full:
      for (const DType type : {DType::bf16, DType::f16, DType::f32}) {
        for (const std::int64_t tokens : {1, 16, 256, 2048, 8192}) llama_8b(all, type, tokens);
        llama_8b_backward(all, type, 8192);
        gpt2(all, type, 8192);
        losses(all, type, 1024, 50257);
        losses(all, type, 2048, 128256);
        embeddings(all, type, 8192, 768, 50257);
        embeddings(all, type, 8192, 4096, 128256);
        experts(all, type, 8192, 4096, 8, 2);
        experts(all, type, 8192, 2048, 128, 8);
        conversions(all, type, 8192, 4096);
        for (const std::int64_t sequences : {1, 64})
          for (const std::int64_t page_size : {0, 16})
            all.push_back(append(type, sequences, 4096, page_size));
        all.push_back(layer(LayerOp::adamw, type, 4096, 4096));
        all.push_back(layer(LayerOp::adamw, type, 14336, 4096));
      }
      break;
  }
  return all;
}

}  // namespace

const Family& layers_family() {
  static const Family family = {"layers", problems, layer(rms_norm, DType::bf16, 4096, 4096)};
  return family;
}

}  // namespace steelyard
