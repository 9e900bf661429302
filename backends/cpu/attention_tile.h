// SPDX-License-Identifier: Apache-2.0
// Attention of a few query rows over a range of keys by one thread: what attention_tile.cpp
// and attention_few_rows.cpp, compiled once per instruction set, offer to attention.cpp, compiled once.
#pragma once

#include <cstdint>

#include "backends/dtype.h"

namespace steelyard::cpu {

struct AttentionOperands {
  const void* q;  // [batch][queries][heads][head_dim]
  const void* k;  // [batch][keys][kv_heads][head_dim], or [page][page_size][kv_heads][head_dim]
  const void* v;  // as k
  void* o;        // as q
  float* lse;     // [batch][heads][queries]
  std::int64_t queries, keys, heads, kv_heads, head_dim;
  bool causal;
  const std::int32_t* page_table;  // [batch][pages]; null: K and V are contiguous
  std::int64_t page_size;
};

// Row r of those that share a K and V: query r % queries of the kv head's query head r / queries.
struct AttentionTile {
  std::int64_t batch, kv_head, first_row, rows, first_key, end_key;
};

struct AttentionKernel {
  // Leaves the softmax over the tile's keys unfinished in `state`: maximum, sum, weighted values.
  void (*accumulate)(const AttentionOperands&, const AttentionTile&, void* state,
                     void* workspace) = nullptr;
  // Merges the states of neighbouring key ranges, which lie one after the other, into the first,
  // and writes o and lse.
  void (*finish)(const AttentionOperands&, const AttentionTile&, void* states,
                 std::int64_t count) = nullptr;
  std::int64_t max_rows = 0;                          // of a tile
  std::int64_t state_bytes = 0, workspace_bytes = 0;  // multiples of 64
};

inline constexpr std::int64_t attention_key_block = 64, attention_max_head_dim = 256;
inline constexpr int attention_few_rows = 4;

// The kernel for the type of Q, that of K and V, and a number of rows that share a K and V; empty for
// other types. The kernel of few rows takes up to attention_few_rows of them (attention_few_rows.cpp).
namespace baseline {
AttentionKernel attention_kernel(DType type, DType cached, std::int64_t rows);
AttentionKernel few_rows_kernel(DType type, DType cached);
}  // namespace baseline
namespace v3 {
AttentionKernel attention_kernel(DType type, DType cached, std::int64_t rows);
AttentionKernel few_rows_kernel(DType type, DType cached);
}  // namespace v3
namespace v4 {
AttentionKernel attention_kernel(DType type, DType cached, std::int64_t rows);
AttentionKernel few_rows_kernel(DType type, DType cached);
}  // namespace v4
namespace v4_dot {
AttentionKernel attention_kernel(DType type, DType cached, std::int64_t rows);
AttentionKernel few_rows_kernel(DType type, DType cached);
}  // namespace v4_dot

}  // namespace steelyard::cpu
