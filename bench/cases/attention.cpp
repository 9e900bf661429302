// SPDX-License-Identifier: Apache-2.0
#include "bench/suites.h"

namespace steelyard {
namespace {

// Self-attention of a prompt: as many queries as keys.
Attention prefill(DType type, std::int64_t heads, std::int64_t kv_heads, std::int64_t tokens,
                  std::int64_t head_dim, bool causal) {
  return {.pass = Pass::forward,
          .dtype = type,
          .batch = 1,
          .heads = heads,
          .kv_heads = kv_heads,
          .queries = tokens,
          .keys = tokens,
          .head_dim = head_dim,
          .causal = causal};
}

Attention training(DType type, std::int64_t heads, std::int64_t kv_heads, std::int64_t tokens,
                   std::int64_t head_dim) {
  Attention p = prefill(type, heads, kv_heads, tokens, head_dim, true);
  p.pass = Pass::backward;
  return p;
}

// One new token for each sequence of a batch; heads as in Llama-3-8B.
Attention decode(DType type, std::int64_t batch, std::int64_t context, std::int64_t page_size = 0) {
  return {.pass = Pass::decode,
          .dtype = type,
          .batch = batch,
          .heads = 32,
          .kv_heads = 8,
          .queries = 1,
          .keys = context,
          .head_dim = 128,
          .causal = true,
          .page_size = page_size};
}

Attention with_fp8_cache(Attention p) {
  p.fp8_cache = true;
  return p;
}

std::vector<Problem> problems(Suite suite) {
  std::vector<Problem> all;
  switch (suite) {
    case Suite::quick:
      all.push_back(prefill(DType::bf16, 16, 16, 2048, 128, false));
      all.push_back(prefill(DType::bf16, 16, 4, 2048, 128, true));
      all.push_back(prefill(DType::bf16, 16, 16, 1024, 64, true));
      all.push_back(prefill(DType::f32, 16, 16, 1024, 128, true));
      all.push_back(decode(DType::bf16, 1, 4096));
      all.push_back(decode(DType::bf16, 8, 2048));
      all.push_back(decode(DType::f32, 4, 2048));
      all.push_back(decode(DType::bf16, 8, 2048, 16));
      all.push_back(training(DType::bf16, 8, 2, 512, 128));
      break;
    case Suite::gate:
      all.push_back(prefill(DType::bf16, 16, 4, 2048, 128, true));
      all.push_back(decode(DType::bf16, 8, 2048));
      break;
    case Suite::standard:
      for (const bool causal : {false, true})
        for (const std::int64_t tokens : {1024, 2048, 4096, 8192})
          all.push_back(prefill(DType::bf16, 32, 8, tokens, 128, causal));
      for (const std::int64_t tokens : {1024, 2048, 4096})
        all.push_back(training(DType::bf16, 32, 8, tokens, 128));
      for (const std::int64_t page_size : {0, 16})
        for (const std::int64_t batch : {1, 8, 32}) {
          all.push_back(decode(DType::bf16, batch, 4096, page_size));
          all.push_back(with_fp8_cache(decode(DType::bf16, batch, 4096, page_size)));
        }
      break;
    case Suite::full:
      for (const DType type : {DType::bf16, DType::f16, DType::f32})
        for (const std::int64_t head_dim : {64, 128})
          for (const bool causal : {false, true})
            for (std::int64_t tokens = 512; tokens <= 16384; tokens *= 2)
              all.push_back(prefill(type, 32, 8, tokens, head_dim, causal));
      // The truth of a backward pass takes five products in f64: no more than 4096 tokens.
      for (const DType type : {DType::bf16, DType::f16, DType::f32})
        for (const std::int64_t head_dim : {64, 128})
          for (std::int64_t tokens = 512; tokens <= 4096; tokens *= 2)
            all.push_back(training(type, 32, 8, tokens, head_dim));
      for (const DType type : {DType::bf16, DType::f16})
        for (std::int64_t batch = 1; batch <= 64; batch *= 2)
          for (const std::int64_t context : {1024, 4096, 16384})
            for (const std::int64_t page_size : {0, 16, 64}) {
              all.push_back(decode(type, batch, context, page_size));
              if (page_size < 64)
                all.push_back(with_fp8_cache(decode(type, batch, context, page_size)));
            }
      break;
  }
  return all;
}

}  // namespace

const Family& attention_family() {
  static const Family family = {"attention", problems,
                                prefill(DType::bf16, 16, 16, 1024, 128, true)};
  return family;
}

}  // namespace steelyard
