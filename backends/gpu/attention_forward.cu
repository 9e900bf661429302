// SPDX-License-Identifier: Apache-2.0
// softmax(Q K^T / sqrt(head_dim)) V with a streaming softmax.
//
// Idea: a block owns 128 queries of one head and passes through the keys, 32 or 64 at a time. Scores,
// probabilities and output never leave the registers of the warp that owns the rows: P is the left
// factor of P V as Q K^T leaves it. While keys are used values arrive, and the other way round. Blocks of keys that a causal mask hides from all rows are
// skipped, and only those are masked that it cuts; the tiles with most keys start first.
// Traffic: Q and O once, K and V once per 128 queries, which blocks side by side share in the L2.
// Limits: the matrix units; behind them exponentials and the rounding of P. Query heads that share
// keys load them again.
// Numerics: scores, sums and exponentials in f32. P is rounded to the type of the operands, to
// nearest; the sum that divides the output is that of the unrounded P.
#include "backends/gpu/attention_forward.h"

#include "backends/gpu/attention_tile.h"
#include "backends/gpu/kernels.h"

namespace steelyard::gpu {
namespace {

constexpr int warps = 4, threads = warps * warp_size;
constexpr int stages = std::min(4, most_stages);
// A lane of 64 holds half as much of a tile as a lane of 32: there is room for Q in registers, and
// none for it in the 64 KiB of shared memory that AMD has for two blocks.
constexpr bool queries_in_registers = warp_size == 64;

template <class T, int head_dim>
struct Tile {
  static constexpr int queries = 32 * warps;
  static constexpr int keys = head_dim == 128 ? 32 : 64;  // as registers allow
  using Q = SharedOperand<T, queries, head_dim, Order::depth_contiguous>;
  using K = SharedOperand<T, keys, head_dim, Order::depth_contiguous>;
  using V = SharedOperand<T, head_dim, keys, Order::rows_contiguous>;
  using Scores = Accumulator<T, queries, keys, warps, 1>;
  using Output = Accumulator<T, queries, head_dim, warps, 1>;

  // Held in registers, Q passes through the memory of the stages.
  static constexpr std::size_t q_offset = queries_in_registers ? 0 : stages * K::bytes;
  static constexpr std::size_t shared_bytes = std::max(q_offset + Q::bytes, stages* K::bytes);
};

template <class Tile, class Source>
__device__ auto load_queries(const Source& source, int first) {
  const typename Tile::Q tile(dynamic_shared_memory() + Tile::q_offset);
  TileCopy<typename Tile::Q, threads, true> copy;
  copy.issue(source, first, 0, tile);
  copy.commit(tile);
  if constexpr (queries_in_registers) {
    finish_copies();
    __syncthreads();
    const auto held = hold<true>(typename Tile::Scores(), tile);
    __syncthreads();
    return held;
  } else {
    return tile;  // there when the first keys are
  }
}

// A block for every tile of queries (x), head (y) and sequence (z).
template <class T, int head_dim>
__global__ void __launch_bounds__(threads, 2)
    attend(T* o, float* lse, const T* q, const T* k, const T* v, AttentionSizes sizes) {
  using Tile = Tile<T, head_dim>;
  const int head = static_cast<int>(blockIdx.y), batch = static_cast<int>(blockIdx.z);
  const int kv_head = head / sizes.group();
  const int first = static_cast<int>(gridDim.x - 1 - blockIdx.x) * Tile::queries;
  const int last = min(first + Tile::queries, sizes.queries) - 1;
  const HeadOf keys(k, batch, sizes.keys, sizes.kv_heads, kv_head, head_dim);
  const HeadOf values(v, batch, sizes.keys, sizes.kv_heads, kv_head, head_dim);
  const HeadOf queries(q, batch, sizes.queries, sizes.heads, head, head_dim);
  const HeadOf results(o, batch, sizes.queries, sizes.heads, head, head_dim);

  const auto held_queries = load_queries<Tile>(queries.over_width(), first);
  KeyValueStream<typename Tile::K, typename Tile::V, threads, GlobalOperand> stream(
      dynamic_shared_memory(), keys.over_width(), values.over_tokens());
  typename Tile::Output output;
  OnlineSoftmax<typename Tile::Scores::Rows> softmax;
  decltype(round_to_operand<T>(typename Tile::Scores())) probabilities;

  const auto use = [&](int slab, int stage) {
    if (!stream.is_keys(slab)) return tile_mma(output, probabilities, stream.values(stage));
    typename Tile::Scores scores;
    tile_mma(scores, held_queries, stream.keys(stage));
    const int first_key = slab / 2 * Tile::keys;
    if (first_key + Tile::keys > sizes.visible_keys(first))  // some row does not see them all
      scores.for_each([&](int row, int column, float& score) {
        if (first_key + column >= sizes.visible_keys(first + row)) score = hidden;
      });
    softmax.absorb(scores, output, sizes.scale);
    probabilities = round_to_operand<T>(scores);
  };
  const int blocks = (sizes.visible_keys(last) + Tile::keys - 1) / Tile::keys;
  pipeline<stages>(
      2 * blocks, [&](int slab, int stage, auto) { stream.issue(slab, stage); },
      [&](int slab, int stage) { stream.commit(slab, stage); }, use);

  softmax.finish();
  output.scale_rows(softmax.inverse_sums());
  output.for_each_run([&](int row, int column, auto& sums) {
    if (first + row <= last)
      store_side_by_side(results.first + (first + row) * results.stride + column, sums);
  });
  auto log2_sums = softmax.log2_sums();
  output.for_each_row(log2_sums, [&](int row, float sum) {
    if (leads_rows() && first + row <= last)
      lse[sizes.lse_element(batch, head, first + row)] = sum * ln_2;
  });
}

template <class T, int head_dim>
std::string tile_name() {
  using Tile = Tile<T, head_dim>;
  return "tiles of " + std::to_string(Tile::queries) + " queries and " +
         std::to_string(Tile::keys) + " keys, " + std::to_string(stages) + " stages, ";
}

template <class T, int head_dim>
void enqueue_forward(const GpuDevice& device, const Attention& p, const Arguments& arguments) {
  using Tile = Tile<T, head_dim>;
  launch(attend<T, head_dim>,
         {.blocks = (p.queries + Tile::queries - 1) / Tile::queries,
          .threads = threads,
          .shared_bytes = Tile::shared_bytes,
          .blocks_y = p.heads,
          .blocks_z = p.batch},
         device.stream(), arguments.get<T>("o"), arguments.get<float>("lse"), arguments.get<T>("q"),
         arguments.get<T>("k"), arguments.get<T>("v"), AttentionSizes(p));
}

Support supports(const Attention& p, const DeviceInfo& info) {
  if (p.pass != Pass::forward) return {Support::foreign, {}};
  return supports_attention_forward(p, info);
}

std::unique_ptr<Run> prepare(GpuDevice& device, const Attention& p, const Inputs& inputs) {
  return make_run(device, p, inputs, attention_forward_body(device, p),
                  {.detail = with_attention_types(p, [&]<class T, int head_dim>() {
                     return tile_name<T, head_dim>() + matrix_units(device.info());
                   })});
}

}  // namespace

Support supports_attention_forward(const Attention& p, const DeviceInfo&) {
  if (p.page_size > 0) return {Support::no, "this kernel reads contiguous keys only"};
  return supports_attention_tiles(p);
}

Body attention_forward_body(const GpuDevice& device, const Attention& p) {
  return with_attention_types(p, [&]<class T, int head_dim>() -> Body {
    return [=, &device](const Arguments& arguments) {
      enqueue_forward<T, head_dim>(device, p, arguments);
    };
  });
}

std::span<const Kernel> attention_forward_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("online_softmax", Tier::portable)};
  return table;
}

}  // namespace steelyard::gpu
