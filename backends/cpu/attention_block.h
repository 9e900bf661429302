// SPDX-License-Identifier: Apache-2.0
// What attention's forward and backward passes share: blocks of rows found, packed and multiplied.
// Lanes are queries, `width` of them in `vectors` vectors; keys come `key_block` at a time.
#pragma once

#include "backends/cpu/attention_simd.h"
#include "backends/cpu/attention_tile.h"

namespace steelyard::cpu {
namespace {

constexpr std::int64_t key_block = attention_key_block, max_head_dim = attention_max_head_dim;

template <int vectors>
constexpr std::int64_t width = vectors* lanes<float>;

// Wide tiles use a block of K and V for more rows; narrow ones idle fewer lanes.
constexpr int wide = vector_bytes == 64 ? 4 : 2;

// ---- where things lie

// The first elements of rows of head_dim values.
struct Rows {
  std::int64_t count;
  std::int64_t start[key_block];  // the first `count` count
};
static_assert(width<wide> <= key_block);

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

// Ends of the keys that all rows see, and of those that any row sees.
struct Range {
  std::int64_t by_all, by_some;
};

// Lanes without a row see all keys: they are never the reason to hide some.
template <int vectors>
Range look_up_visible(const AttentionOperands& a, const AttentionTile& tile,
                      std::int32_t* visible) {
  Range seen = {tile.end_key, tile.first_key};
  for (std::int64_t lane = 0; lane < width<vectors>; ++lane) {
    const bool exists = lane < tile.rows;
    const std::int64_t end =
        exists ? visible_keys(a, tile, row_of(a, tile, lane).query) : tile.end_key;
    visible[lane] = static_cast<std::int32_t>(end);
    if (end < seen.by_all) seen.by_all = end;
    if (exists && end > seen.by_some) seen.by_some = end;
  }
  return seen;
}

template <int vectors>
void hide_keys(std::int64_t first_key, const std::int32_t* visible, float* scores) {
  for (std::int64_t key = 0; key < key_block; ++key)
    for (std::int64_t lane = 0; lane < width<vectors>; ++lane)
      if (first_key + key >= visible[lane]) scores[key * width<vectors> + lane] = -__builtin_inff();
}

// ---- packing; behind the last row come zeros

// Rows as columns: [head_dim / depth][width][depth].
template <class Product, int vectors, class Input>
void pack_columns(const Input* from, const Rows& rows, std::int64_t head_dim,
                  typename Product::Element* to) {
  using Element = typename Product::Element;
  constexpr int depth = Product::depth;
  for (std::int64_t lane = 0; lane < width<vectors>; ++lane) {
    const bool exists = lane < rows.count;
    const Input* row = from + (exists ? rows.start[lane] : 0);
    for (std::int64_t d = 0; d < head_dim; ++d)
      to[(d / depth * width<vectors> + lane) * depth + d % depth] =
          exists ? convert<Element>(row[d]) : Element{};
  }
}

// [block][head_dim]
template <std::int64_t block, class Element, class Input>
void pack_rows(const Input* from, const Rows& rows, std::int64_t head_dim, Element* to) {
  for (std::int64_t i = 0; i < rows.count; ++i, to += head_dim)
    for (std::int64_t d = 0; d < head_dim; ++d) to[d] = convert<Element>(from[rows.start[i] + d]);
  if (rows.count < block)
    std::memset(static_cast<void*>(to), 0, (block - rows.count) * head_dim * sizeof *to);
}

// Rows side by side: [block / depth][head_dim][depth].
template <class Product, std::int64_t block, class Input>
void pack_units(const Input* from, const Rows& rows, std::int64_t head_dim,
                typename Product::Element* to) {
  using Element = typename Product::Element;
  constexpr int depth = Product::depth;
  for (std::int64_t row = 0; row < block; row += depth, to += head_dim * depth) {
    const Input* source[depth];
    for (int i = 0; i < depth; ++i)
      source[i] = row + i < rows.count ? from + rows.start[row + i] : nullptr;
    if (source[depth - 1] != nullptr)
      for (std::int64_t d = 0; d < head_dim; ++d)
        for (int i = 0; i < depth; ++i) to[d * depth + i] = convert<Element>(source[i][d]);
    else
      for (std::int64_t d = 0; d < head_dim; ++d)
        for (int i = 0; i < depth; ++i)
          to[d * depth + i] = source[i] != nullptr ? convert<Element>(source[i][d]) : Element{};
  }
}

// ---- products

// A factor of a product, in units: element (row, unit) lies at row * row_stride + unit *
// unit_stride.
template <class Element>
struct Factor {
  const Element* data;
  std::int64_t row_stride, unit_stride;
};

// sums[rows][vectors] += A B, with B as [units][columns], of which the first `vectors` vectors.
template <class Product, int rows, int vectors>
void multiply(std::int64_t units, Factor<typename Product::Element> a,
              const typename Product::Element* b, std::int64_t columns,
              Vector<float> (&sums)[rows][vectors]) {
  using Unit = typename Product::Unit;
  constexpr int depth = Product::depth;
  for (std::int64_t unit = 0; unit < units; ++unit) {
    Vector<Unit> column[vectors];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i)
      column[i] = load<Vector<Unit>>(b + (unit * columns + i * lanes<Unit>)*depth);
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row) {
      const Unit value = load<Unit>(a.data + (row * a.row_stride + unit * a.unit_stride) * depth);
#pragma GCC unroll 4
      for (int i = 0; i < vectors; ++i)
        sums[row][i] = Product::step(sums[row][i], value, column[i]);
    }
  }
}

// So many rows keep the units busy: at least 8 independent sums.
template <int vectors>
constexpr int rows_at_once = vectors == 1 ? 8 : 4;

// S^T[key][query] = sum over d of K[key][d] Q^T[d][query], and so for V and dO.
template <class Product, int vectors>
void score(std::int64_t head_dim, const typename Product::Element* k,
           const typename Product::Element* q, float* scores) {
  constexpr int rows = rows_at_once<vectors>;
  const std::int64_t units = head_dim / Product::depth;
  for (std::int64_t key = 0; key < key_block; key += rows) {
    Vector<float> sums[rows][vectors] = {};
    multiply<Product>(units, {k + key * head_dim, units, 1}, q, width<vectors>, sums);
    std::memcpy(scores + key * width<vectors>, sums, sizeof sums);
  }
}

}  // namespace
}  // namespace steelyard::cpu
