// SPDX-License-Identifier: Apache-2.0
// The gradients of attention.
//
// Idea: the probabilities are computed again from Q, K and the log-sum-exp of every query, tile by
// tile. One kernel owns keys and runs over queries (dK and dV), another owns queries and runs over
// keys (dQ): seven products instead of the five of a single kernel, but every sum has one owner, so
// nothing is added atomically, the result is the same in every run, and query heads that share a
// key head need no second pass. Both hold what they own as the left factor, so that P and dS go from
// one product into the next in registers.
//   S = Q K^T   P = exp(S / sqrt(d) - lse)   dV = P^T dO   dP = dO V^T   dS = P (dP - rowsum(dO O))
//   dQ = dS K / sqrt(d)   dK = dS^T Q / sqrt(d)
// Traffic: Q, dO once per tile of keys, K, V once per tile of queries, mostly from the L2.
// Limits: the matrix units; 7/5 of the work that is counted.
// P and dS are rounded to the type of the operands before they are multiplied, as the oracle does.
#include <algorithm>
#include <cmath>

#include "backends/gpu/attention_forward.h"
#include "backends/gpu/attention_tile.h"
#include "backends/gpu/kernels.h"
#include "backends/gpu/team.h"

namespace steelyard::gpu {
namespace {

constexpr int warps = 4, threads = warps * warp_size;

// Operands [batch, tokens, heads, head_dim], and what the kernels know of every query.
template <class T>
struct Gradients {
  AttentionSizes sizes;
  const T *q, *k, *v, *o, *d_o;
  const float* lse;  // [batch, heads, queries]
  T *dq, *dk, *dv;
  // [batch, heads, padded]: lse in units of ln 2, infinite where there is no query and where one
  // sees no key, which makes P zero; and rowsum(dO O).
  float *lse2, *row_sums;
  int padded;         // queries, whole tiles of them
  float score_scale;  // 1 / sqrt(head_dim)

  __device__ std::int64_t row(int batch, int head, int query) const {
    return (std::int64_t{batch} * sizes.heads + head) * padded + query;
  }
  // Queries from this one on see the key.
  __device__ int first_query(int key) const {
    return sizes.causal ? max(0, key - (sizes.keys - sizes.queries)) : 0;
  }
};

// A tile [tokens, head_dim] of a tensor that is streamed through shared memory, in the two roles that
// products need it in: summed over head_dim, and summed over tokens. Matrix units that load either
// order take both from one copy.
template <class T, int tokens, int head_dim>
struct StreamedTile {
  using OverWidth = SharedOperand<T, tokens, head_dim, Order::depth_contiguous>;
  using OverTokens = SharedOperand<T, head_dim, tokens, Order::rows_contiguous>;
  static constexpr std::size_t second = loads_either_order ? 0 : OverWidth::bytes;
  static constexpr std::size_t bytes = second + OverTokens::bytes;

  std::byte* memory;

  __device__ OverWidth over_width() const { return OverWidth(memory); }
  __device__ OverTokens over_tokens() const { return OverTokens(memory + second); }
};

// Copies a StreamedTile in the roles that are asked for.
template <class Tile, bool both_roles>
class StreamedCopy {
 public:
  template <class Source>
  __device__ void issue(const Source& from, int token, Tile to) {
    over_width_.issue(from.over_width(), token, 0, to.over_width());
    if constexpr (second) over_tokens_.issue(from.over_tokens(), 0, token, to.over_tokens());
  }
  __device__ void commit(Tile to) {
    over_width_.commit(to.over_width());
    if constexpr (second) over_tokens_.commit(to.over_tokens());
  }

 private:
  static constexpr bool second = both_roles && !loads_either_order;
  TileCopy<typename Tile::OverWidth, threads, true> over_width_;
  TileCopy<typename Tile::OverTokens, threads, true> over_tokens_;
};

// Tokens that are streamed at a time: as many as leave the sums their registers.
constexpr int streamed_keys = 32;
template <int head_dim>
constexpr int streamed_queries = warp_size == 32 && head_dim == 128 ? 16 : 32;

template <class T, int head_dim, int streamed_>
struct Shape {
  static constexpr int owned = warps * 16 * (warp_size / 32);
  static constexpr int streamed = streamed_;
  static constexpr int stages = 2;

  using Owned = SharedOperand<T, owned, head_dim, Order::depth_contiguous>;
  using Streamed = StreamedTile<T, streamed, head_dim>;
  using Scores = Accumulator<T, owned, streamed, warps, 1>;
  using Sums = Accumulator<T, owned, head_dim, warps, 1>;
  static constexpr std::size_t stream_bytes = stages * 2 * Streamed::bytes;
  // A left factor is moved to registers where shared memory is scarce.
  static constexpr bool holds_in_registers = !loads_either_order;
  static constexpr std::size_t owned_bytes = 2 * Owned::bytes;
  static constexpr std::size_t shared_bytes =
      holds_in_registers ? std::max(owned_bytes, stream_bytes) : owned_bytes + stream_bytes;

  static __device__ Owned left(int which) {
    return Owned(dynamic_shared_memory() + static_cast<std::size_t>(which) * Owned::bytes);
  }
  static __device__ Streamed right(int which, int stage) {
    return {dynamic_shared_memory() + (holds_in_registers ? 0 : owned_bytes) +
            static_cast<std::size_t>(2 * stage + which) * Streamed::bytes};
  }
};

// Copies the two tiles that a block owns and returns them as left factors.
template <class S, class Source>
__device__ auto own(const Source& first, const Source& second, int token) {
  TileCopy<typename S::Owned, threads, true> copy;
  copy.issue(first.over_width(), token, 0, S::left(0));
  copy.commit(S::left(0));
  copy.issue(second.over_width(), token, 0, S::left(1));
  copy.commit(S::left(1));
  finish_copies();
  __syncthreads();
  struct Factors {
    LeftFactor<typename S::Scores, typename S::Owned, S::holds_in_registers> first, second;
  };
  const Factors factors = {hold<S::holds_in_registers>(typename S::Scores(), S::left(0)),
                           hold<S::holds_in_registers>(typename S::Scores(), S::left(1))};
  if constexpr (S::holds_in_registers) __syncthreads();  // the memory is free from here on
  return factors;
}

// Stores rows of sums, times a factor, as the tokens of a head from `first` on.
template <class Sums, class Head>
__device__ void store_rows(Sums& sums, const Head& head, int first, float factor) {
  sums.for_each([=](int, int, float& sum) { sum *= factor; });
  sums.for_each_run([&](int row, int column, auto& values) {
    if (first + row < head.tokens)
      store_side_by_side(head.first + (first + row) * head.stride + column, values);
  });
}

// lse2 and row_sums; a warp for each query.
template <class T, int head_dim>
__global__ void __launch_bounds__(threads) prepare_rows(Gradients<T> p) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int query =
      static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / warp_size;
  const int head = static_cast<int>(blockIdx.y), batch = static_cast<int>(blockIdx.z);
  if (query >= p.padded) return;
  float sum = 0, lse2 = INFINITY;
  if (query < p.sizes.queries) {
    const HeadOf o(p.o, batch, p.sizes.queries, p.sizes.heads, head, head_dim);
    const HeadOf d_o(p.d_o, batch, p.sizes.queries, p.sizes.heads, head, head_dim);
    for (int i = lane; i < head_dim; i += warp_size)
      sum += to_float(o.first[query * o.stride + i]) * to_float(d_o.first[query * o.stride + i]);
    sum = warp_reduce(sum, Add{});
    const float lse = p.lse[p.sizes.lse_element(batch, head, query)];
    if (lse > -INFINITY) lse2 = lse * static_cast<float>(AttentionSizes::log2_e);
  }
  if (lane != 0) return;
  p.lse2[p.row(batch, head, query)] = lse2;
  p.row_sums[p.row(batch, head, query)] = sum;
}

// dK and dV of a tile of keys (x) of a key head (y) of a sequence (z): over all queries of all heads
// that share them.
template <class T, int head_dim>
__global__ void __launch_bounds__(threads, 1) key_gradients(Gradients<T> p) {
  using S = Shape<T, head_dim, streamed_queries<head_dim>>;
  const AttentionSizes sizes = p.sizes;
  const int key = static_cast<int>(blockIdx.x) * S::owned;
  const int kv_head = static_cast<int>(blockIdx.y), batch = static_cast<int>(blockIdx.z);
  const HeadOf k(p.k, batch, sizes.keys, sizes.kv_heads, kv_head, head_dim);
  const HeadOf v(p.v, batch, sizes.keys, sizes.kv_heads, kv_head, head_dim);
  const auto owned = own<S>(k, v, key);

  const int first = p.first_query(key) / S::streamed;
  const int tiles = max(0, p.padded / S::streamed - first);
  const auto head_of = [&](int slab) { return uniform(kv_head * sizes.group() + slab / tiles); };
  const auto query_of = [&](int slab) { return uniform((first + slab % tiles) * S::streamed); };
  const auto tokens_of = [&](const T* tensor, int slab) {
    return HeadOf(tensor, batch, sizes.queries, sizes.heads, head_of(slab), head_dim);
  };
  StreamedCopy<typename S::Streamed, true> copy_q, copy_do;
  typename S::Sums dk, dv;
  const auto use = [&](int slab, int stage) {
    const int query = query_of(slab);
    const std::int64_t row = p.row(batch, head_of(slab), query);
    const bool masks = sizes.visible_keys(query) < key + S::owned;
    typename S::Scores s, ds;  // [keys, queries]
    tile_mma(s, owned.first, S::right(0, stage).over_width());
    s.for_each([&](int i, int j, float& value) {
      const bool visible = !masks || key + i < sizes.visible_keys(query + j);
      value = visible ? exp2_approximate(value * sizes.scale - p.lse2[row + j]) : 0;
    });
    tile_mma(dv, round_to_operand<T>(s), S::right(1, stage).over_tokens());
    tile_mma(ds, owned.second, S::right(1, stage).over_width());
    ds.for_each([&](int, int j, float& value) { value -= p.row_sums[row + j]; });
    ds.multiply_by(s);
    tile_mma(dk, round_to_operand<T>(ds), S::right(0, stage).over_tokens());
  };
  pipeline<S::stages>(
      tiles * sizes.group(),
      [&](int slab, int stage, auto) {
        copy_q.issue(tokens_of(p.q, slab), query_of(slab), S::right(0, stage));
        copy_do.issue(tokens_of(p.d_o, slab), query_of(slab), S::right(1, stage));
      },
      [&](int, int stage) {
        copy_q.commit(S::right(0, stage));
        copy_do.commit(S::right(1, stage));
      },
      use);

  store_rows(dk, HeadOf(p.dk, batch, sizes.keys, sizes.kv_heads, kv_head, head_dim), key,
             p.score_scale);
  store_rows(dv, HeadOf(p.dv, batch, sizes.keys, sizes.kv_heads, kv_head, head_dim), key, 1);
}

// dQ of a tile of queries (x) of a head (y) of a sequence (z): over all keys that it sees.
template <class T, int head_dim>
__global__ void __launch_bounds__(threads, 1) query_gradients(Gradients<T> p) {
  using S = Shape<T, head_dim, streamed_keys>;
  const AttentionSizes sizes = p.sizes;
  const int query = static_cast<int>(blockIdx.x) * S::owned;
  const int head = static_cast<int>(blockIdx.y), batch = static_cast<int>(blockIdx.z);
  const int kv_head = head / sizes.group();
  const HeadOf q(p.q, batch, sizes.queries, sizes.heads, head, head_dim);
  const HeadOf d_o(p.d_o, batch, sizes.queries, sizes.heads, head, head_dim);
  const HeadOf k(p.k, batch, sizes.keys, sizes.kv_heads, kv_head, head_dim);
  const HeadOf v(p.v, batch, sizes.keys, sizes.kv_heads, kv_head, head_dim);
  const auto owned = own<S>(q, d_o, query);

  typename S::Sums dq;
  auto lse2 = S::Scores::Rows::filled(INFINITY), row_sums = S::Scores::Rows::filled(0);
  dq.for_each_row(lse2, [&](int i, float& value) {
    if (query + i < sizes.queries) value = p.lse2[p.row(batch, head, query + i)];
  });
  dq.for_each_row(row_sums, [&](int i, float& value) {
    if (query + i < sizes.queries) value = p.row_sums[p.row(batch, head, query + i)];
  });

  StreamedCopy<typename S::Streamed, true> copy_k;
  StreamedCopy<typename S::Streamed, false> copy_v;
  const auto use = [&](int slab, int stage) {
    const int key = slab * S::streamed;
    typename S::Scores s, ds;  // [queries, keys]
    tile_mma(s, owned.first, S::right(0, stage).over_width());
    s.for_each_with(lse2, [&](float& value, float lse) {
      value = exp2_approximate(value * sizes.scale - lse);
    });
    if (sizes.visible_keys(query) < key + S::streamed)  // some row does not see them all
      s.for_each([&](int i, int j, float& value) {
        if (key + j >= sizes.visible_keys(query + i)) value = 0;
      });
    tile_mma(ds, owned.second, S::right(1, stage).over_width());
    ds.for_each_with(row_sums, [](float& value, float sum) { value -= sum; });
    ds.multiply_by(s);
    tile_mma(dq, round_to_operand<T>(ds), S::right(0, stage).over_tokens());
  };
  const int last = min(sizes.queries, query + S::owned) - 1;
  pipeline<S::stages>((sizes.visible_keys(last) + S::streamed - 1) / S::streamed,
                      [&](int slab, int stage, auto) {
                        copy_k.issue(k, slab * S::streamed, S::right(0, stage));
                        copy_v.issue(v, slab * S::streamed, S::right(1, stage));
                      },
                      [&](int, int stage) {
                        copy_k.commit(S::right(0, stage));
                        copy_v.commit(S::right(1, stage));
                      },
                      use);

  store_rows(dq, HeadOf(p.dq, batch, sizes.queries, sizes.heads, head, head_dim), query,
             p.score_scale);
}

// ---- on the host

constexpr std::int64_t tiles_of(std::int64_t tokens, std::int64_t tile) {
  return (tokens + tile - 1) / tile;
}

std::int64_t padded_queries(const Attention& p) {
  constexpr int tile = std::max(streamed_queries<64>, streamed_queries<128>);
  return tiles_of(p.queries, tile) * tile;
}

template <class T>
Gradients<T> gradients(const Attention& p, const Arguments& arguments, float* rows) {
  const std::int64_t padded = padded_queries(p);
  return {AttentionSizes(p),
          arguments.get<const T>("q"),
          arguments.get<const T>("k"),
          arguments.get<const T>("v"),
          arguments.get<const T>("o"),
          arguments.get<const T>("do"),
          arguments.get<const float>("lse"),
          arguments.get<T>("dq"),
          arguments.get<T>("dk"),
          arguments.get<T>("dv"),
          rows,
          rows + p.batch * p.heads * padded,
          static_cast<int>(padded),
          1 / std::sqrt(static_cast<float>(p.head_dim))};
}

template <class T, int head_dim>
void enqueue_backward(const GpuDevice& device, const Attention& p, const Gradients<T>& tensors) {
  using Keys = Shape<T, head_dim, streamed_queries<head_dim>>;
  using Queries = Shape<T, head_dim, streamed_keys>;
  Grid grid = {.threads = threads, .blocks_y = p.heads, .blocks_z = p.batch};
  grid.blocks = tiles_of(tensors.padded, warps);
  launch(prepare_rows<T, head_dim>, grid, device.stream(), tensors);
  grid.blocks = tiles_of(p.queries, Queries::owned);
  grid.shared_bytes = Queries::shared_bytes;
  launch(query_gradients<T, head_dim>, grid, device.stream(), tensors);
  grid.blocks = tiles_of(p.keys, Keys::owned);
  grid.blocks_y = p.kv_heads;
  grid.shared_bytes = Keys::shared_bytes;
  launch(key_gradients<T, head_dim>, grid, device.stream(), tensors);
}

Support supports(const Attention& p, const DeviceInfo& info) {
  if (p.pass != Pass::backward) return {Support::foreign, {}};
  return supports_attention_forward(p, info);
}

std::unique_ptr<Run> prepare(GpuDevice& device, const Attention& p, const Inputs& inputs) {
  const auto rows = std::make_shared<Buffer<float>>(
      static_cast<std::size_t>(2 * p.batch * p.heads * padded_queries(p)));
  const Body body = with_attention_types(p, [&]<class T, int head_dim>() -> Body {
    return [=, &device](const Arguments& arguments) {
      enqueue_backward<T, head_dim>(device, p, gradients<T>(p, arguments, rows->data()));
    };
  });
  return make_run(device, p, inputs, body,
                  {.detail = "two kernels, no atomics, " + matrix_units(device.info()),
                   .ahead = attention_forward_body(device, p)});
}

}  // namespace

std::span<const Kernel> attention_backward_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("recomputation", Tier::portable)};
  return table;
}

}  // namespace steelyard::gpu
