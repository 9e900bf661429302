// SPDX-License-Identifier: Apache-2.0
// Attention of few rows with a streaming softmax, for the instruction set this file is compiled for.
//
// Idea     Where one token asks, a tile of queries is nearly empty: here lanes lie along head_dim. A key's
//          numbers are widened once, multiplied by every row, and their products summed across lanes;
//          of a value so many numbers as registers hold sums for are gone through 64 keys at a time.
//          The softmax is that of attention_tile.cpp, in f32 throughout.
// Traffic  K and V once, as they lie, the next block of them fetched ahead; scores and sums stay in L1.
// Limits   At most 4 rows. Each score costs a sum across lanes.
#include "backends/cpu/attention_places.h"
#include "backends/cpu/attention_simd.h"
#include "backends/cpu/layer_narrow.h"

namespace steelyard::cpu {
namespace {

struct State {
  alignas(
      64) float o[attention_few_rows * max_head_dim];  // [row][head_dim], not yet divided by sum
  alignas(64) float maximum[attention_few_rows];       // of scores / ln 2
  float sum[attention_few_rows];
};

struct Workspace {
  alignas(64) float q[attention_few_rows * max_head_dim];
  alignas(64) float p[attention_few_rows * key_block];  // scores, then their powers
};

// ---- numbers

struct Fp8 {
  std::uint8_t bits;
};

template <class T>
Vector<float> wide(const T* from) {
  if constexpr (std::is_same_v<T, Fp8>)
    return decode<E4m3>(extend(load<Bytes>(from)));
  else
    return Format<T>::widen(load<typename Format<T>::Packed>(from));
}

template <int distance = lanes<float> / 2>
float sum_of_lanes(Vector<float> values) {
  Vector<std::int32_t> partner = {};
  for (int lane = 0; lane < lanes<float>; ++lane) partner[lane] = lane ^ distance;
  values += __builtin_shuffle(values, partner);
  if constexpr (distance > 1)
    return sum_of_lanes<distance / 2>(values);
  else
    return values[0];
}

// ---- a block of keys

template <class Cached>
void fetch_ahead(const AttentionOperands& a, const AttentionTile& tile, std::int64_t first_key) {
  if (first_key >= tile.end_key) return;
  const Rows rows = key_rows(a, tile, first_key);
  const std::int64_t step = 64 / static_cast<std::int64_t>(sizeof(Cached));
  for (std::int64_t i = 0; i < rows.count; ++i)
    for (std::int64_t d = 0; d < a.head_dim; d += step) {
      __builtin_prefetch(static_cast<const Cached*>(a.k) + rows.start[i] + d);
      __builtin_prefetch(static_cast<const Cached*>(a.v) + rows.start[i] + d);
    }
}

template <int rows, class Cached>
void score(const Cached* k, const Rows& keys, std::int64_t head_dim, Workspace* work) {
  for (std::int64_t key = 0; key < keys.count; ++key) {
    Vector<float> sums[rows] = {};
    for (std::int64_t d = 0; d < head_dim; d += lanes<float>) {
      const Vector<float> numbers = wide(k + keys.start[key] + d);
#pragma GCC unroll 4
      for (int row = 0; row < rows; ++row)
        sums[row] += numbers * load<Vector<float>>(work->q + row * max_head_dim + d);
    }
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row) work->p[row * key_block + key] = sum_of_lanes(sums[row]);
  }
}

// Powers of a row's scores, of which it sees the first `seen`; returns by how much sums so far shrink.
inline float soften(float scale, std::int64_t seen, float* p, float& maximum, float& sum) {
  for (std::int64_t key = seen; key < key_block; ++key) p[key] = -__builtin_inff();
  Vector<float> largest = load<Vector<float>>(p);
  for (std::int64_t key = lanes<float>; key < key_block; key += lanes<float>)
    largest = max(largest, load<Vector<float>>(p + key));
  float top = maximum;
  for (int lane = 0; lane < lanes<float>; ++lane) top = __builtin_fmaxf(top, largest[lane] * scale);
  const float shrink = exp2_of(Vector<float>{} + (maximum - top))[0];
  Vector<float> sums = {};
  for (std::int64_t key = 0; key < key_block; key += lanes<float>) {
    const Vector<float> power = exp2_of(load<Vector<float>>(p + key) * scale - top);
    sums += power;
    std::memcpy(p + key, &power, sizeof power);
  }
  maximum = top;
  sum = sum * shrink + sum_of_lanes(sums);
  return shrink;
}

// o[row][d] = shrink[row] o[row][d] + sum over keys of p[row][key] v[key][d], for some vectors of d.
template <int rows, int vectors, class Cached>
void add_values(const Cached* v, const Rows& keys, const float* p, const float* shrink, float* o) {
  Vector<float> sums[rows][vectors];
#pragma GCC unroll 4
  for (int row = 0; row < rows; ++row)
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i)
      sums[row][i] = load<Vector<float>>(o + row * max_head_dim + i * lanes<float>) * shrink[row];
  for (std::int64_t key = 0; key < keys.count; ++key)
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i) {
      const Vector<float> numbers = wide(v + keys.start[key] + i * lanes<float>);
#pragma GCC unroll 4
      for (int row = 0; row < rows; ++row) sums[row][i] += numbers * p[row * key_block + key];
    }
#pragma GCC unroll 4
  for (int row = 0; row < rows; ++row)
    std::memcpy(o + row * max_head_dim, sums[row], sizeof sums[row]);
}

template <int rows, class Cached>
void add_values(const Cached* v, const Rows& keys, std::int64_t head_dim, const float* shrink,
                const Workspace& work, State* state) {
  constexpr int vectors = rows > 2 ? 2 : 4;
  constexpr std::int64_t step = vectors * lanes<float>;
  std::int64_t d = 0;
  for (; d + step <= head_dim; d += step)
    add_values<rows, vectors>(v + d, keys, work.p, shrink, state->o + d);
  for (; d < head_dim; d += lanes<float>)
    add_values<rows, 1>(v + d, keys, work.p, shrink, state->o + d);
}

// ---- the tile; rows that do not exist are zeros

template <class Input>
void take_queries(const AttentionOperands& a, const AttentionTile& tile, int rows,
                  Workspace* work) {
  for (int row = 0; row < rows; ++row) {
    const Input* const q = static_cast<const Input*>(a.q) + row_of(a, tile, row).q;
    for (std::int64_t d = 0; d < a.head_dim; d += lanes<float>) {
      const Vector<float> numbers = row < tile.rows ? wide(q + d) : Vector<float>{};
      std::memcpy(work->q + row * max_head_dim + d, &numbers, sizeof numbers);
    }
  }
}

template <int rows, class Input, class Cached>
void accumulate_rows(const AttentionOperands& a, const AttentionTile& tile, State* state,
                     Workspace* work) {
  const auto *k = static_cast<const Cached*>(a.k), *v = static_cast<const Cached*>(a.v);
  const float scale =
      static_cast<float>(std::numbers::log2e / __builtin_sqrt(static_cast<double>(a.head_dim)));
  take_queries<Input>(a, tile, rows, work);
  for (int row = 0; row < rows; ++row) {
    std::memset(state->o + row * max_head_dim, 0, a.head_dim * sizeof(float));
    state->maximum[row] = lowest_maximum;
    state->sum[row] = 0;
  }
  for (std::int64_t first = tile.first_key; first < tile.end_key; first += key_block) {
    const Rows keys = key_rows(a, tile, first);
    fetch_ahead<Cached>(a, tile, first + key_block);
    score<rows>(k, keys, a.head_dim, work);
    float shrink[rows];
    for (int row = 0; row < rows; ++row) {
      const std::int64_t visible =
          row < tile.rows ? visible_keys(a, tile, row_of(a, tile, row).query) - first : 0;
      const std::int64_t seen = visible < 0 ? 0 : visible < keys.count ? visible : keys.count;
      shrink[row] =
          soften(scale, seen, work->p + row * key_block, state->maximum[row], state->sum[row]);
    }
    add_values<rows>(v, keys, a.head_dim, shrink, *work, state);
  }
}

template <class Input, class Cached>
void accumulate(const AttentionOperands& a, const AttentionTile& tile, void* state,
                void* workspace) {
  const auto of_rows = tile.rows == 1   ? accumulate_rows<1, Input, Cached>
                       : tile.rows == 2 ? accumulate_rows<2, Input, Cached>
                                        : accumulate_rows<attention_few_rows, Input, Cached>;
  of_rows(a, tile, static_cast<State*>(state), static_cast<Workspace*>(workspace));
}

// Row `row` of `into` becomes that of both ranges of keys.
inline void merge(std::int64_t head_dim, std::int64_t row, const State& from, State* into) {
  const float maximum = __builtin_fmaxf(into->maximum[row], from.maximum[row]);
  const float keep = __builtin_exp2f(into->maximum[row] - maximum);
  const float take = __builtin_exp2f(from.maximum[row] - maximum);
  into->maximum[row] = maximum;
  into->sum[row] = into->sum[row] * keep + from.sum[row] * take;
  float* const o = into->o + row * max_head_dim;
  for (std::int64_t d = 0; d < head_dim; ++d)
    o[d] = o[d] * keep + from.o[row * max_head_dim + d] * take;
}

// A query that sees no key has o = 0 and lse = -infinity.
template <class Input>
void finish(const AttentionOperands& a, const AttentionTile& tile, void* states,
            std::int64_t count) {
  auto* const state = static_cast<State*>(states);
  for (std::int64_t lane = 0; lane < tile.rows; ++lane) {
    for (std::int64_t i = 1; i < count; ++i) merge(a.head_dim, lane, state[i], state);
    const QueryRow row = row_of(a, tile, lane);
    const float sum = state->sum[lane], factor = sum > 0 ? 1 / sum : 0;
    Input* const o = static_cast<Input*>(a.o) + row.q;
    for (std::int64_t d = 0; d < a.head_dim; ++d)
      o[d] = convert<Input>(state->o[lane * max_head_dim + d] * factor);
    a.lse[row.lse] = state->maximum[lane] * std::numbers::ln2_v<float> + __builtin_logf(sum);
  }
}

template <class Input, class Cached>
constexpr AttentionKernel describe() {
  return {accumulate<Input, Cached>, finish<Input>, attention_few_rows, sizeof(State),
          sizeof(Workspace)};
}

template <class Input>
AttentionKernel choose(bool fp8_cache) {
  return fp8_cache ? describe<Input, Fp8>() : describe<Input, Input>();
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

AttentionKernel few_rows_kernel(DType type, DType cached) {
  const bool fp8 = cached == DType::fp8_e4m3;
  if (cached != type && !fp8) return {};
  if (type == DType::f32) return choose<float>(fp8);
  if (type == DType::f16) return choose<Half>(fp8);
  if (type == DType::bf16) return choose<Bf16>(fp8);
  return {};
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
