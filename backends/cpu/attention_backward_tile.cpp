// SPDX-License-Identifier: Apache-2.0
// Gradients of attention by recomputation, for the instruction set this file is compiled for.
//
// Idea     P is not kept from the forward pass but computed again from the scores and the
//          log-sum-exp (Dao, FlashAttention-2): P = exp(S - lse), dS = P (dP - D) with dP = dO V^T
//          and D = dO . O. A tile of queries meets 64 keys at a time in five products. In S^T and
//          dP^T lanes are queries, so that lse and D are vectors; in dV = P^T dO, dK = dS^T Q and
//          dQ = dS K lanes run along head_dim, which is how the gradients lie in memory.
// Traffic  Per block K and V are packed once, twice for the two sides of a product that K is on; Q and
//          dO twice per tile. P and dS stay in L2, dQ of the tile too; the sums of dK and dV, 64 KiB
//          a block of keys at head_dim 128, are read and written by every tile.
// Limits   dK and dV are summed in f32 over all keys: 8 head_dim bytes a key for each thread. A tile
//          has 64 rows of one kv head: fewer idle lanes. head_dim is a multiple of 16, at most 256.
#include "backends/cpu/attention_backward_tile.h"

#include "backends/cpu/attention_block.h"

namespace steelyard::cpu {
namespace {

constexpr std::int64_t rows_of_tile = width<wide>;

template <class Product>
struct Workspace {
  using Element = typename Product::Element;
  static constexpr std::int64_t of_rows = max_head_dim * rows_of_tile;
  static constexpr std::int64_t of_keys = max_head_dim * key_block;
  static constexpr std::int64_t of_pairs = key_block * rows_of_tile;

  alignas(64) Element q_columns[of_rows];          // [head_dim / depth][rows][depth]
  alignas(64) Element do_columns[of_rows];         // the same
  alignas(64) Element q_units[of_rows];            // [rows / depth][head_dim][depth]
  alignas(64) Element do_units[of_rows];           // the same
  alignas(64) Element k[of_keys];                  // [key_block][head_dim]
  alignas(64) Element v[of_keys];                  // [key_block][head_dim]
  alignas(64) Element k_units[of_keys];            // [key_block / depth][head_dim][depth]
  alignas(64) Element p[of_pairs];                 // [key_block][rows]
  alignas(64) Element ds[of_pairs];                // [key_block][rows]
  alignas(64) Element ds_units[of_pairs];          // [key_block / depth][rows][depth]
  alignas(64) float scores[of_pairs];              // [key_block][rows]
  alignas(64) float dp[of_pairs];                  // [key_block][rows]
  alignas(64) float dq[of_rows];                   // [rows][head_dim]
  alignas(64) float lse[rows_of_tile];             // / ln 2
  alignas(64) float d[rows_of_tile];               // dO . O of each row
  alignas(64) std::int32_t visible[rows_of_tile];  // each lane sees the keys below
};

// ---- what is made once per tile

template <class Input>
float dot(const Input* x, const Input* y, std::int64_t count) {
  float sums[lanes<float>] = {};  // count is a multiple of 16
  for (std::int64_t i = 0; i < count; i += lanes<float>)
    for (int lane = 0; lane < lanes<float>; ++lane)
      sums[lane] += convert<float>(x[i + lane]) * convert<float>(y[i + lane]);
  float sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

// Lanes without a row have Q = dO = 0 and add nothing.
template <class Product, class Input>
void pack_tile(const GradientOperands& g, const AttentionTile& tile, Workspace<Product>* work) {
  const AttentionOperands& a = g.forward;
  const auto *q = static_cast<const Input*>(a.q), *d_o = static_cast<const Input*>(g.d_o);
  const auto* o = static_cast<const Input*>(a.o);
  const Rows rows = query_rows(a, tile);
  pack_columns<Product, wide>(q, rows, a.head_dim, work->q_columns);
  pack_columns<Product, wide>(d_o, rows, a.head_dim, work->do_columns);
  pack_units<Product, rows_of_tile>(q, rows, a.head_dim, work->q_units);
  pack_units<Product, rows_of_tile>(d_o, rows, a.head_dim, work->do_units);
  std::memset(work->dq, 0, rows_of_tile * a.head_dim * sizeof *work->dq);
  for (std::int64_t lane = 0; lane < rows_of_tile; ++lane) {
    const bool exists = lane < tile.rows;
    work->lse[lane] = exists ? a.lse[row_of(a, tile, lane).lse] * std::numbers::log2e_v<float> : 0;
    work->d[lane] = exists ? dot(d_o + rows.start[lane], o + rows.start[lane], a.head_dim) : 0;
  }
}

// ---- a block of keys

// P and dS, each in the orders in which products read it.
template <class Product>
void differentiate(float scale, std::int64_t lane, Workspace<Product>* work) {
  constexpr int depth = Product::depth;
  const auto lse = load<Vector<float>>(work->lse + lane), d = load<Vector<float>>(work->d + lane);
  for (std::int64_t key = 0; key < key_block; key += depth) {
    Vector<float> ds[depth];
    for (int i = 0; i < depth; ++i) {
      const std::int64_t place = (key + i) * rows_of_tile + lane;
      const Vector<float> p = exp2_of(load<Vector<float>>(work->scores + place) * scale - lse);
      ds[i] = p * (load<Vector<float>>(work->dp + place) - d);
      store_values(p, work->p + place);
      store_values(ds[i], work->ds + place);
    }
    store_units(ds, work->ds_units + key * rows_of_tile + lane * depth);
  }
}

// sums[rows][columns] += A B for some columns of B[units][columns].
template <class Product, int vectors>
void add_columns(std::int64_t rows, std::int64_t units, Factor<typename Product::Element> a,
                 const typename Product::Element* b, std::int64_t columns, float* sums) {
  constexpr int at_once = rows_at_once<vectors>;
  for (std::int64_t row = 0; row < rows; row += at_once) {
    Vector<float> block[at_once][vectors];
    float* place = sums + row * columns;
    for (int i = 0; i < at_once; ++i) std::memcpy(block[i], place + i * columns, sizeof block[i]);
    multiply<Product>(units,
                      {a.data + row * a.row_stride * Product::depth, a.row_stride, a.unit_stride},
                      b, columns, block);
    for (int i = 0; i < at_once; ++i) std::memcpy(place + i * columns, block[i], sizeof block[i]);
  }
}

// The same for all columns.
template <class Product>
void add_product(std::int64_t rows, std::int64_t units, Factor<typename Product::Element> a,
                 const typename Product::Element* b, std::int64_t columns, float* sums) {
  std::int64_t column = 0;
  for (; column + width<wide> <= columns; column += width<wide>)
    add_columns<Product, wide>(rows, units, a, b + column * Product::depth, columns, sums + column);
  for (; column < columns; column += lanes<float>)
    add_columns<Product, 1>(rows, units, a, b + column * Product::depth, columns, sums + column);
}

template <class Product, class Input>
void pack_block(const AttentionOperands& a, const AttentionTile& tile, std::int64_t first_key,
                Workspace<Product>* work) {
  const auto *k = static_cast<const Input*>(a.k), *v = static_cast<const Input*>(a.v);
  const Rows rows = key_rows(a, tile, first_key);
  pack_rows<key_block>(k, rows, a.head_dim, work->k);
  pack_rows<key_block>(v, rows, a.head_dim, work->v);
  pack_units<Product, key_block>(k, rows, a.head_dim, work->k_units);
}

// ---- the tile

template <class Input>
void store_scaled(const float* from, float scale, std::int64_t count, Input* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = convert<Input>(from[i] * scale);
}

inline float score_scale(const AttentionOperands& a) {
  return static_cast<float>(1 / __builtin_sqrt(static_cast<double>(a.head_dim)));
}

template <class Product, class Input>
void accumulate(const GradientOperands& g, const AttentionTile& tile, float* sums,
                void* workspace) {
  constexpr int depth = Product::depth;
  constexpr std::int64_t row_units = rows_of_tile / depth, key_units = key_block / depth;
  const AttentionOperands& a = g.forward;
  auto* work = static_cast<Workspace<Product>*>(workspace);
  const float scale = score_scale(a) * std::numbers::log2e_v<float>;
  pack_tile<Product, Input>(g, tile, work);
  const Range seen = look_up_visible<wide>(a, tile, work->visible);
  for (std::int64_t key = tile.first_key; key < seen.by_some; key += key_block) {
    float *dk = sums + key * a.head_dim, *dv = dk + gradient_sums(a);
    pack_block<Product, Input>(a, tile, key, work);
    score<Product, wide>(a.head_dim, work->k, work->q_columns, work->scores);
    score<Product, wide>(a.head_dim, work->v, work->do_columns, work->dp);
    if (key + key_block > seen.by_all) hide_keys<wide>(key, work->visible, work->scores);
    for (std::int64_t lane = 0; lane < rows_of_tile; lane += lanes<float>)
      differentiate(scale, lane, work);
    add_product<Product>(key_block, row_units, {work->p, row_units, 1}, work->do_units, a.head_dim,
                         dv);
    add_product<Product>(key_block, row_units, {work->ds, row_units, 1}, work->q_units, a.head_dim,
                         dk);
    add_product<Product>(rows_of_tile, key_units, {work->ds_units, 1, rows_of_tile}, work->k_units,
                         a.head_dim, work->dq);
  }
  for (std::int64_t lane = 0; lane < tile.rows; ++lane)
    store_scaled(work->dq + lane * a.head_dim, score_scale(a), a.head_dim,
                 static_cast<Input*>(g.dq) + row_of(a, tile, lane).q);
}

// One row of a gradient: the sum of `count` rows that lie `stride` apart.
template <class Input>
void store_sum(const float* from, std::int64_t count, std::int64_t stride, float scale,
               std::int64_t head_dim, Input* to) {
  float sum[max_head_dim];
  std::memcpy(sum, from, head_dim * sizeof *sum);
  for (std::int64_t i = 1; i < count; ++i)
    for (std::int64_t d = 0; d < head_dim; ++d) sum[d] += from[i * stride + d];
  store_scaled(sum, scale, head_dim, to);
}

template <class Input>
void finish(const GradientOperands& g, const AttentionTile& tile, const float* sums,
            std::int64_t count) {
  const AttentionOperands& a = g.forward;
  const std::int64_t array = gradient_sums(a);
  for (std::int64_t key = tile.first_key; key < tile.end_key; key += key_block) {
    const Rows rows = key_rows(a, tile, key);
    for (std::int64_t i = 0; i < rows.count; ++i) {
      const float *dk = sums + (key + i) * a.head_dim, *dv = dk + array;
      store_sum(dk, count, 2 * array, score_scale(a), a.head_dim,
                static_cast<Input*>(g.dk) + rows.start[i]);
      store_sum(dv, count, 2 * array, 1, a.head_dim, static_cast<Input*>(g.dv) + rows.start[i]);
    }
  }
}

template <class Product, class Input>
constexpr GradientKernel describe() {
  return {accumulate<Product, Input>, finish<Input>, rows_of_tile, sizeof(Workspace<Product>)};
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

GradientKernel gradient_kernel(DType type) {
  if (type == DType::f32) return describe<MultiplyAdd<float>, float>();
  if (type == DType::f16) return describe<MultiplyAdd<float>, _Float16>();
  if (type == DType::bf16) return describe<Bf16Product, Bf16>();
  return {};
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
