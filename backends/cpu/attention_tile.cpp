// SPDX-License-Identifier: Apache-2.0
// Attention with a streaming softmax, for the instruction set this file is compiled for.
//
// Idea     Lanes are queries: scores are computed transposed, S^T = K Q^T, 64 keys at a time, so that
//          maximum, exp and sum of every query need no operation across lanes. The maximum so far
//          is subtracted; when a block raises it, the sums so far shrink by the difference (Milakov
//          and Gimelshein, Online normalizer calculation for softmax). O^T += V^T P^T takes P^T as
//          the softmax leaves it. Both products keep rows x vectors sums in registers; bf16 runs on
//          dot products of pairs where the CPU has them, P rounded to bf16, else widened to f32.
// Traffic  Per block K and V (32 KiB of bf16 at head_dim 128) are copied once into the order of the
//          loops, and used by all rows of the tile; scores and P stay in L1, O in L2.
// Limits   A tile has at most 64 rows of one kv head. One query head per kv head in decode leaves all
//          lanes but one idle. head_dim is a multiple of 16, at most 256.
#include "backends/cpu/attention_tile.h"

#include "backends/cpu/attention_simd.h"

namespace steelyard::cpu {
namespace {

constexpr std::int64_t key_block = attention_key_block, max_head_dim = attention_max_head_dim;

template <int vectors>
constexpr std::int64_t width = vectors* lanes<float>;

template <int vectors>
struct State {
  alignas(64) float o[max_head_dim * width<vectors>];  // [head_dim][width], not yet divided by sum
  float maximum[width<vectors>];                       // of scores / ln 2
  float sum[width<vectors>];
};

template <class Product, int vectors>
struct Workspace {
  using Element = typename Product::Element;
  alignas(64) Element q[max_head_dim * width<vectors>];  // [head_dim / depth][width][depth]
  alignas(64) Element k[key_block * max_head_dim];       // [key_block][head_dim]
  alignas(64) Element v[key_block * max_head_dim];       // [key_block / depth][head_dim][depth]
  alignas(64) Element p[key_block * width<vectors>];     // [key_block / depth][width][depth]
  alignas(64) float scores[key_block * width<vectors>];  // [key_block][width]
  alignas(64) float shrink[width<vectors>];              // of the sums so far, in this block
  alignas(64) std::int32_t visible[width<vectors>];      // each lane sees the keys below
};

// ---- where things lie

struct Row {
  std::int64_t query, q, lse;  // q and lse: index of the first element
};

Row row_of(const AttentionOperands& a, const AttentionTile& tile, std::int64_t lane) {
  const std::int64_t row = tile.first_row + lane, query = row % a.queries;
  const std::int64_t head = tile.kv_head * (a.heads / a.kv_heads) + row / a.queries;
  return {query, ((tile.batch * a.queries + query) * a.heads + head) * a.head_dim,
          (tile.batch * a.heads + head) * a.queries + query};
}

// A causal mask is aligned at the end: the last query sees all keys.
std::int64_t visible_keys(const AttentionOperands& a, const AttentionTile& tile,
                          std::int64_t query) {
  const std::int64_t last = a.causal ? query + 1 + a.keys - a.queries : a.keys;
  return last < tile.end_key ? last : tile.end_key;
}

// ---- packing

template <class Product, int vectors, class Input>
void pack_queries(const AttentionOperands& a, const AttentionTile& tile,
                  typename Product::Element* to) {
  constexpr int depth = Product::depth;
  for (std::int64_t lane = 0; lane < width<vectors>; ++lane) {
    const bool exists = lane < tile.rows;
    const Input* q = static_cast<const Input*>(a.q) + (exists ? row_of(a, tile, lane).q : 0);
    for (std::int64_t d = 0; d < a.head_dim; ++d)
      to[(d / depth * width<vectors> + lane) * depth + d % depth] =
          exists ? convert<typename Product::Element>(q[d]) : typename Product::Element{};
  }
}

// [rows][stride] to [rows][head_dim].
template <class Element, class Input>
void pack_keys(const Input* from, std::int64_t stride, std::int64_t rows, std::int64_t head_dim,
               Element* to) {
  for (std::int64_t row = 0; row < rows; ++row, from += stride, to += head_dim)
    for (std::int64_t d = 0; d < head_dim; ++d) to[d] = convert<Element>(from[d]);
}

// [rows][stride] to [rows / depth][head_dim][depth]; a last group is filled up with zeros.
template <class Product, class Input>
void pack_values(const Input* from, std::int64_t stride, std::int64_t rows, std::int64_t head_dim,
                 typename Product::Element* to) {
  using Element = typename Product::Element;
  constexpr int depth = Product::depth;
  for (std::int64_t row = 0; row < rows; row += depth, from += depth * stride)
    for (std::int64_t d = 0; d < head_dim; ++d)
      for (int i = 0; i < depth; ++i)
        *to++ = row + i < rows ? convert<Element>(from[i * stride + d]) : Element{};
}

// Copies a block of keys and values; behind the last key come zeros.
template <class Product, int vectors, class Input>
void pack_block(const AttentionOperands& a, const AttentionTile& tile, std::int64_t first_key,
                Workspace<Product, vectors>* work) {
  const std::int64_t stride = a.kv_heads * a.head_dim, left = tile.end_key - first_key;
  const std::int64_t rows = left < key_block ? left : key_block;
  const std::int64_t offset =
      (tile.batch * a.keys + first_key) * stride + tile.kv_head * a.head_dim;
  if (rows < key_block) {
    const std::size_t bytes = key_block * a.head_dim * sizeof *work->k;
    std::memset(static_cast<void*>(work->k), 0, bytes);
    std::memset(static_cast<void*>(work->v), 0, bytes);
  }
  pack_keys(static_cast<const Input*>(a.k) + offset, stride, rows, a.head_dim, work->k);
  pack_values<Product>(static_cast<const Input*>(a.v) + offset, stride, rows, a.head_dim, work->v);
}

// ---- products

// sums[rows][vectors] += A B. Element (row, unit) of A lies at row * row_stride + unit *
// unit_stride, in units; B is [units][vectors].
template <class Product, int rows, int vectors>
void multiply(std::int64_t units, const typename Product::Element* a, std::int64_t row_stride,
              std::int64_t unit_stride, const typename Product::Element* b,
              Vector<float> (&sums)[rows][vectors]) {
  using Unit = typename Product::Unit;
  constexpr int depth = Product::depth;
  for (std::int64_t unit = 0; unit < units; ++unit) {
    Vector<Unit> column[vectors];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i)
      column[i] = load<Vector<Unit>>(b + (unit * vectors + i) * lanes<Unit> * depth);
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row) {
      const Unit value = load<Unit>(a + (row * row_stride + unit * unit_stride) * depth);
#pragma GCC unroll 4
      for (int i = 0; i < vectors; ++i)
        sums[row][i] = Product::step(sums[row][i], value, column[i]);
    }
  }
}

// So many rows keep the units busy: at least 8 independent sums.
template <int vectors>
constexpr int rows_at_once = vectors == 1 ? 8 : 4;

// S^T[key][query] = sum over d of K[key][d] Q^T[d][query].
template <class Product, int vectors>
void score(std::int64_t head_dim, Workspace<Product, vectors>* work) {
  constexpr int rows = rows_at_once<vectors>;
  const std::int64_t units = head_dim / Product::depth;
  for (std::int64_t key = 0; key < key_block; key += rows) {
    Vector<float> sums[rows][vectors] = {};
    multiply<Product, rows, vectors>(units, work->k + key * head_dim, units, 1, work->q, sums);
    std::memcpy(work->scores + key * width<vectors>, sums, sizeof sums);
  }
}

// O^T[d][query] = shrink[query] O^T[d][query] + sum over keys of V^T[d][key] P^T[key][query].
template <class Product, int vectors>
void add_values(std::int64_t head_dim, const Workspace<Product, vectors>* work, float* o) {
  constexpr int rows = rows_at_once<vectors>;
  for (std::int64_t d = 0; d < head_dim; d += rows) {
    Vector<float> sums[rows][vectors];
    std::memcpy(sums, o + d * width<vectors>, sizeof sums);
    for (int row = 0; row < rows; ++row)
      for (int i = 0; i < vectors; ++i)
        sums[row][i] *= load<Vector<float>>(work->shrink + i * lanes<float>);
    multiply<Product, rows, vectors>(key_block / Product::depth, work->v + d * Product::depth, 1,
                                     head_dim, work->p, sums);
    std::memcpy(o + d * width<vectors>, sums, sizeof sums);
  }
}

// ---- softmax

template <int vectors>
void hide_keys(std::int64_t first_key, const std::int32_t* visible, float* scores) {
  for (std::int64_t key = 0; key < key_block; ++key)
    for (std::int64_t lane = 0; lane < width<vectors>; ++lane)
      if (first_key + key >= visible[lane]) scores[key * width<vectors> + lane] = -__builtin_inff();
}

// One vector of queries: P from the block's scores, maximum and sum brought up to date.
template <class Product, int vectors>
void soften(float scale, std::int64_t lane, Workspace<Product, vectors>* work,
            State<vectors>* state) {
  constexpr int depth = Product::depth;
  const float* scores = work->scores + lane;
  auto largest = load<Vector<float>>(scores);
  for (std::int64_t key = 1; key < key_block; ++key)
    largest = max(largest, load<Vector<float>>(scores + key * width<vectors>));
  const auto before = load<Vector<float>>(state->maximum + lane);
  const Vector<float> maximum = max(before, largest * scale);
  const Vector<float> shrink = exp2_of(before - maximum);
  Vector<float> sum = load<Vector<float>>(state->sum + lane) * shrink;
  for (std::int64_t key = 0; key < key_block; key += depth) {
    Vector<float> p[depth];
    for (int i = 0; i < depth; ++i) {
      const auto s = load<Vector<float>>(scores + (key + i) * width<vectors>);
      p[i] = exp2_of(s * scale - maximum);
      sum += p[i];
    }
    store_units(p, work->p + key * width<vectors> + lane * depth);
  }
  std::memcpy(work->shrink + lane, &shrink, sizeof shrink);
  std::memcpy(state->maximum + lane, &maximum, sizeof maximum);
  std::memcpy(state->sum + lane, &sum, sizeof sum);
}

// ---- the tile

template <int vectors>
void clear(State<vectors>* state, std::int64_t head_dim) {
  std::memset(state->o, 0, head_dim * width<vectors> * sizeof *state->o);
  for (std::int64_t lane = 0; lane < width<vectors>; ++lane) {
    state->maximum[lane] = lowest_maximum;
    state->sum[lane] = 0;
  }
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

template <class Product, int vectors, class Input>
void accumulate(const AttentionOperands& a, const AttentionTile& tile, void* state_memory,
                void* workspace) {
  auto* state = static_cast<State<vectors>*>(state_memory);
  auto* work = static_cast<Workspace<Product, vectors>*>(workspace);
  const float scale =
      static_cast<float>(std::numbers::log2e / __builtin_sqrt(static_cast<double>(a.head_dim)));
  clear(state, a.head_dim);
  pack_queries<Product, vectors, Input>(a, tile, work->q);
  const Range seen = look_up_visible<vectors>(a, tile, work->visible);
  for (std::int64_t key = tile.first_key; key < seen.by_some; key += key_block) {
    pack_block<Product, vectors, Input>(a, tile, key, work);
    score(a.head_dim, work);
    if (key + key_block > seen.by_all) hide_keys<vectors>(key, work->visible, work->scores);
    for (std::int64_t lane = 0; lane < width<vectors>; lane += lanes<float>)
      soften(scale, lane, work, state);
    add_values(a.head_dim, work, state->o);
  }
}

// `into` becomes the state of both ranges of keys.
template <int vectors>
void merge(std::int64_t head_dim, const State<vectors>& from, State<vectors>* into) {
  for (std::int64_t lane = 0; lane < width<vectors>; ++lane) {
    const float maximum = __builtin_fmaxf(into->maximum[lane], from.maximum[lane]);
    const float keep = __builtin_exp2f(into->maximum[lane] - maximum);
    const float take = __builtin_exp2f(from.maximum[lane] - maximum);
    into->maximum[lane] = maximum;
    into->sum[lane] = into->sum[lane] * keep + from.sum[lane] * take;
    for (std::int64_t d = 0; d < head_dim; ++d) {
      float& o = into->o[d * width<vectors> + lane];
      o = o * keep + from.o[d * width<vectors> + lane] * take;
    }
  }
}

// A query that sees no key has o = 0 and lse = -infinity.
template <class Input, int vectors>
void finish(const AttentionOperands& a, const AttentionTile& tile, void* states,
            std::int64_t count) {
  auto* state = static_cast<State<vectors>*>(states);
  for (std::int64_t i = 1; i < count; ++i) merge(a.head_dim, state[i], state);
  for (std::int64_t lane = 0; lane < tile.rows; ++lane) {
    const Row row = row_of(a, tile, lane);
    const float sum = state->sum[lane], factor = sum > 0 ? 1 / sum : 0;
    Input* o = static_cast<Input*>(a.o) + row.q;
    for (std::int64_t d = 0; d < a.head_dim; ++d)
      o[d] = convert<Input>(state->o[d * width<vectors> + lane] * factor);
    a.lse[row.lse] = state->maximum[lane] * std::numbers::ln2_v<float> + __builtin_logf(sum);
  }
}

template <class Product, class Input, int vectors>
constexpr AttentionKernel describe() {
  return {accumulate<Product, vectors, Input>, finish<Input, vectors>, width<vectors>,
          sizeof(State<vectors>), sizeof(Workspace<Product, vectors>)};
}

// Wide tiles use a block of K and V for more rows; narrow ones idle fewer lanes.
constexpr int wide = vector_bytes == 64 ? 4 : 2;

template <class Product, class Input>
AttentionKernel choose(std::int64_t rows) {
  return rows <= lanes<float> ? describe<Product, Input, 1>() : describe<Product, Input, wide>();
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

AttentionKernel attention_kernel(DType type, std::int64_t rows) {
  if (type == DType::f32) return choose<MultiplyAdd<float>, float>(rows);
  if (type == DType::f16) return choose<MultiplyAdd<float>, _Float16>(rows);
  if (type == DType::bf16) return choose<Bf16Product, Bf16>(rows);
  return {};
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
