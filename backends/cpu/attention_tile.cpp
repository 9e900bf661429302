// SPDX-License-Identifier: Apache-2.0
// Attention with a streaming softmax, for the instruction set this file is compiled for.
//
// Idea     Lanes are queries: scores are computed transposed, S^T = K Q^T, 64 keys at a time, so that
//          maximum, exp and sum of every query need no operation across lanes. The maximum so far
//          is subtracted; when a block raises it, the sums so far shrink by the difference (Milakov
//          and Gimelshein, Online normalizer calculation for softmax). O^T += V^T P^T takes P^T as
//          the softmax leaves it. Both products keep rows x vectors sums in registers; bf16 runs on
//          dot products of pairs where the CPU has them, P rounded to bf16, else widened to f32.
// Traffic  Per block K and V (32 KiB of bf16 at head_dim 128) are gathered from their pages, or from
//          where they lie in a row, into the order of the loops, and used by all rows of the tile;
//          scores and P stay in L1, O in L2. Those of an fp8 cache become bf16 on the way, which
//          holds them exactly.
// Limits   A tile has at most 64 rows of one kv head. head_dim is a multiple of 16, at most 256.
#include "backends/cpu/attention_tile.h"

#include "backends/cpu/attention_block.h"
#include "backends/cpu/gemm_decode.h"

namespace steelyard::cpu {
namespace {

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
  alignas(64) Bf16 decoded[key_block * max_head_dim];  // fp8 keys or values, [key_block][head_dim]
  alignas(64) Element k[key_block * max_head_dim];     // [key_block][head_dim]
  alignas(64) Element v[key_block * max_head_dim];     // [key_block / depth][head_dim][depth]
  alignas(64) Element p[key_block * width<vectors>];   // [key_block / depth][width][depth]
  alignas(64) float scores[key_block * width<vectors>];  // [key_block][width]
  alignas(64) float shrink[width<vectors>];              // of the sums so far, in this block
  alignas(64) std::int32_t visible[width<vectors>];      // each lane sees the keys below
};

// Rows that are packed, and where they begin.
template <class Cached>
struct Source {
  const Cached* data;
  Rows rows;
};

template <class Cached>
Source<Cached> as_numbers(Source<Cached> from, std::int64_t, Bf16*) {
  return from;
}
inline Source<Bf16> as_numbers(Source<Fp8> from, std::int64_t head_dim, Bf16* decoded) {
  for (std::int64_t i = 0; i < from.rows.count; ++i) {
    decode(from.data, from.rows.start[i], head_dim, decoded + i * head_dim);
    from.rows.start[i] = i * head_dim;
  }
  return {decoded, from.rows};
}

// Copies a block of keys and values.
template <class Product, int vectors, class Cached>
void pack_block(const AttentionOperands& a, const AttentionTile& tile, std::int64_t first_key,
                Workspace<Product, vectors>* work) {
  const Rows rows = key_rows(a, tile, first_key);
  const auto source = [&](const void* cache) {
    return as_numbers(Source<Cached>{static_cast<const Cached*>(cache), rows}, a.head_dim,
                      work->decoded);
  };
  const auto k = source(a.k);
  pack_rows<key_block>(k.data, k.rows, a.head_dim, work->k);
  const auto v = source(a.v);
  pack_units<Product, key_block>(v.data, v.rows, a.head_dim, work->v);
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
    multiply<Product>(key_block / Product::depth, {work->v + d * Product::depth, 1, head_dim},
                      work->p, width<vectors>, sums);
    std::memcpy(o + d * width<vectors>, sums, sizeof sums);
  }
}

// ---- softmax

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

template <class Product, int vectors, class Input, class Cached>
void accumulate(const AttentionOperands& a, const AttentionTile& tile, void* state_memory,
                void* workspace) {
  auto* state = static_cast<State<vectors>*>(state_memory);
  auto* work = static_cast<Workspace<Product, vectors>*>(workspace);
  const float scale =
      static_cast<float>(std::numbers::log2e / __builtin_sqrt(static_cast<double>(a.head_dim)));
  clear(state, a.head_dim);
  pack_columns<Product, vectors>(static_cast<const Input*>(a.q), query_rows(a, tile), a.head_dim,
                                 work->q);
  const Range seen = look_up_visible<vectors>(a, tile, work->visible);
  for (std::int64_t key = tile.first_key; key < seen.by_some; key += key_block) {
    pack_block<Product, vectors, Cached>(a, tile, key, work);
    score<Product, vectors>(a.head_dim, work->k, work->q, work->scores);
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
    const QueryRow row = row_of(a, tile, lane);
    const float sum = state->sum[lane], factor = sum > 0 ? 1 / sum : 0;
    Input* o = static_cast<Input*>(a.o) + row.q;
    for (std::int64_t d = 0; d < a.head_dim; ++d)
      o[d] = convert<Input>(state->o[d * width<vectors> + lane] * factor);
    a.lse[row.lse] = state->maximum[lane] * std::numbers::ln2_v<float> + __builtin_logf(sum);
  }
}

template <class Product, class Input, class Cached, int vectors>
constexpr AttentionKernel describe() {
  return {accumulate<Product, vectors, Input, Cached>, finish<Input, vectors>, width<vectors>,
          sizeof(State<vectors>), sizeof(Workspace<Product, vectors>)};
}

template <class Product, class Input, class Cached>
AttentionKernel choose(std::int64_t rows) {
  return rows <= lanes<float> ? describe<Product, Input, Cached, 1>()
                              : describe<Product, Input, Cached, wide>();
}

// Of numbers of one type, or with an fp8 cache.
template <class Product, class Input>
AttentionKernel choose(bool fp8_cache, std::int64_t rows) {
  return fp8_cache ? choose<Product, Input, Fp8>(rows) : choose<Product, Input, Input>(rows);
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

AttentionKernel attention_kernel(DType type, DType cached, std::int64_t rows) {
  const bool fp8 = cached == DType::fp8_e4m3;
  if (cached != type && !fp8) return {};
  if (type == DType::f32) return choose<MultiplyAdd<float>, float>(fp8, rows);
  if (type == DType::f16) return choose<MultiplyAdd<float>, _Float16>(fp8, rows);
  if (type == DType::bf16) return choose<Bf16Product, Bf16>(fp8, rows);
  return {};
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
