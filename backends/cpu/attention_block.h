// SPDX-License-Identifier: Apache-2.0
// What attention's forward and backward passes share: blocks of rows found, packed and multiplied.
// Lanes are queries, `width` of them in `vectors` vectors; keys come `key_block` at a time.
#pragma once

#include "backends/cpu/attention_places.h"
#include "backends/cpu/attention_simd.h"

namespace steelyard::cpu {
namespace {

template <int vectors>
constexpr std::int64_t width = vectors* lanes<float>;

// Wide tiles use a block of K and V for more rows; narrow ones idle fewer lanes.
constexpr int wide = vector_bytes == 64 ? 4 : 2;
static_assert(width<wide> <= key_block);

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
