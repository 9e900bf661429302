// SPDX-License-Identifier: Apache-2.0
// Where the rows of an attention tile lie, and what they see.
#pragma once

#include "backends/cpu/attention_tile.h"

namespace steelyard::cpu {
namespace {

constexpr std::int64_t key_block = attention_key_block, max_head_dim = attention_max_head_dim;

// The first elements of rows of head_dim values.
struct Rows {
  std::int64_t count;
  std::int64_t start[key_block];  // the first `count` count
};

struct QueryRow {
  std::int64_t query, q, lse;  // q and lse: index of the first element
};

inline QueryRow row_of(const AttentionOperands& a, const AttentionTile& tile, std::int64_t lane) {
  const std::int64_t row = tile.first_row + lane, query = row % a.queries;
  const std::int64_t head = tile.kv_head * (a.heads / a.kv_heads) + row / a.queries;
  return {query, ((tile.batch * a.queries + query) * a.heads + head) * a.head_dim,
          (tile.batch * a.heads + head) * a.queries + query};
}

inline Rows query_rows(const AttentionOperands& a, const AttentionTile& tile) {
  Rows rows;
  rows.count = tile.rows;
  for (std::int64_t lane = 0; lane < tile.rows; ++lane) rows.start[lane] = row_of(a, tile, lane).q;
  return rows;
}

// The rows of K, V and their gradients from `first_key` on, a block at most.
inline Rows key_rows(const AttentionOperands& a, const AttentionTile& tile,
                     std::int64_t first_key) {
  const std::int64_t left = tile.end_key - first_key, stride = a.kv_heads * a.head_dim;
  const std::int64_t offset = tile.kv_head * a.head_dim;
  const std::int64_t count = left < key_block ? left : key_block;
  Rows rows;
  rows.count = count;
  if (a.page_table == nullptr) {
    const std::int64_t first = (tile.batch * a.keys + first_key) * stride + offset;
    for (std::int64_t i = 0; i < count; ++i) rows.start[i] = first + i * stride;
    return rows;
  }
  const std::int64_t page_size = a.page_size, pages = (a.keys + page_size - 1) / page_size;
  const std::int32_t* page = a.page_table + tile.batch * pages;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t key = first_key + i;
    rows.start[i] = (page[key / page_size] * page_size + key % page_size) * stride + offset;
  }
  return rows;
}

// A causal mask is aligned at the end: the last query sees all keys.
inline std::int64_t visible_keys(const AttentionOperands& a, const AttentionTile& tile,
                                 std::int64_t query) {
  const std::int64_t last = a.causal ? query + 1 + a.keys - a.queries : a.keys;
  return last < tile.end_key ? last : tile.end_key;
}

}  // namespace
}  // namespace steelyard::cpu
