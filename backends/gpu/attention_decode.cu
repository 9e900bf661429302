// SPDX-License-Identifier: Apache-2.0
// Attention of few queries to a long cache, contiguous or paged.
//
// Idea: all query heads that share a key head, and all queries of a sequence, are rows of one matrix
// tile (padded to 16), so that keys and values are loaded once for them. The keys are split between
// as many blocks as the device holds at a time, and within a block between its warps: each has a
// streaming softmax of its own. What the warps found is merged in shared memory, what the blocks
// found by a second kernel. An fp8 cache stays fp8 up to the registers; its tiles have half the bytes, and
// where the copies pass no registers twice as many are in flight.
// Traffic: K and V once per 16 rows, in 16-byte pieces; the results of the splits, f32, twice.
// Limits: DRAM bandwidth, with stages - 1 tiles of a block in flight; where no instruction widens fp8 (A100,
// MI250), the arithmetic that does, of about 5 operations a value.
// Numerics: as in attention_forward.cu.
#include "backends/gpu/attention_tile.h"
#include "backends/gpu/device.h"
#include "backends/gpu/kernels.h"

namespace steelyard::gpu {
namespace {

constexpr int warps = 4, threads = warps * warp_size;
constexpr int rows = tile_edge;

// Cached: T, or fp8 in pairs.
template <class T, class Cached, int head_dim_>
struct Tile {
  static constexpr int head_dim = head_dim_, width = head_dim_ / values_of<Cached>;
  static constexpr int stages = std::min(4 * values_of<Cached>, most_stages);
  static constexpr int warp_keys = tile_edge * tiles_per_fragment;  // one fragment of P
  static constexpr int keys = warps * warp_keys;
  using Q = SharedOperand<T, rows, head_dim, Order::depth_contiguous>;
  using K = SharedOperand<Cached, keys, width, Order::depth_contiguous>;
  using V = SharedOperand<Cached, width, keys, Order::rows_contiguous>;
  using KeysOfWarp = PartOf<K, warp_keys, width>;
  using ValuesOfWarp = PartOf<V, width, warp_keys>;
  // The rows of every warp are the same 16, its columns or its sum over keys are its own.
  using Scores = Accumulator<T, warps * rows, warp_keys, warps, 1>;
  using Output = Accumulator<T, warps * rows, head_dim, warps, 1>;

  static constexpr bool in_pairs = values_of<Cached> == 2;

  // Q before the stages are filled, and the results of the warps after their use, lie in them: so many
  // columns of these at a time.
  static constexpr std::size_t shared_bytes = stages * K::bytes;
  static constexpr std::size_t merged_bytes(int columns) {
    return warps * rows * (columns + 1) * sizeof(float);
  }
  static constexpr int merged_columns =
      merged_bytes(head_dim) <= shared_bytes ? head_dim : head_dim / 2;
  static_assert(Q::bytes <= shared_bytes && merged_bytes(merged_columns) <= shared_bytes);
};

template <class T>
struct Decode {
  T* o;
  float* lse;
  const T* q;
  const std::int32_t* page_table;  // [batch, pages]; null: the cache is contiguous
  int pages, page_size;            // pages of a sequence
  AttentionSizes sizes;
  int tiles_per_split, splits;
  float* partial_o;     // [rows of o, splits, head_dim]
  float* partial_log2;  // [rows of o, splits]: log2 of sums of exp(score)

  __device__ int total_rows() const { return sizes.group() * sizes.queries; }
  // Of row r of a key head: [query, head of the group].
  __device__ int query(int row) const { return row / sizes.group(); }
  __device__ int head(int kv_head, int row) const {
    return kv_head * sizes.group() + row % sizes.group();
  }
  // Rows of o and q.
  __device__ std::int64_t token_row(int batch, int kv_head, int row) const {
    return (std::int64_t{batch} * sizes.queries + query(row)) * sizes.heads + head(kv_head, row);
  }
};

// A result relative to the sum of its own part of the keys.
struct Part {
  float o, log2_sum;
};

template <class PartOfKeys>
__device__ Part merge(int count, PartOfKeys part_of_keys) {
  float top = hidden, sum = 0, o = 0;
  for (int i = 0; i < count; ++i) {
    const Part part = part_of_keys(i);
    if (part.log2_sum == hidden) continue;
    const float before = top;
    top = max(top, part.log2_sum);
    const float shrink = exp2_approximate(before - top);
    const float weight = exp2_approximate(part.log2_sum - top);
    sum = sum * shrink + weight;
    o = o * shrink + weight * part.o;
  }
  return {sum == 0 ? 0 : o / sum, sum == 0 ? hidden : top + log2f(sum)};
}

// Where a block works.
struct Place {
  int split, kv_head, first_row, batch;
};

template <class T>
__device__ Place place_of_block(const Decode<T>& p) {
  const int kv_head = static_cast<int>(blockIdx.y) % p.sizes.kv_heads;
  const int first_row = static_cast<int>(blockIdx.y) / p.sizes.kv_heads * rows;
  return {static_cast<int>(blockIdx.x), kv_head, first_row, static_cast<int>(blockIdx.z)};
}

// Their depth is in the order in which that of keys comes to the products.
template <class Tile, class T>
__device__ auto load_queries(const Decode<T>& p, const Place& at) {
  constexpr int head_dim = Tile::head_dim;
  using SharedRows = Accumulator<T, rows, warps * tile_edge, 1, warps>;  // of all warps
  const typename Tile::Q tile(dynamic_shared_memory());
  for_each_chunk<typename Tile::Q, threads>([&](int, int line, int chunk) {
    const int row = min(at.first_row + line, p.total_rows() - 1);  // the last one fills the tile
    const T* from = p.q + p.token_row(at.batch, at.kv_head, row) * head_dim;
    if constexpr (Tile::in_pairs) {
      for (int d = chunk * Tile::Q::chunk_size, end = d + Tile::Q::chunk_size; d < end; ++d)
        *tile.element(line, place_when_split<values_of_fragment>(d)) = from[d];
    } else {
      *tile.chunk(line, chunk) = reinterpret_cast<const Chunk*>(from)[chunk];
    }
  });
  __syncthreads();
  const auto held = hold<true>(SharedRows(), tile);
  __syncthreads();
  return held;
}

// Keys or values [first, end) of one head, contiguous or paged.
template <Order order, template <class, Order> class Source, int width, class T, class Cached>
__device__ Source<Cached, order> cached(const Cached* cache, const Decode<T>& p, const Place& at,
                                        int first, int end) {
  const std::int64_t stride = std::int64_t{p.sizes.kv_heads} * width;
  const Cached* const head = cache + std::int64_t{at.kv_head} * width;
  const int tokens = max(0, end - first);
  const bool over_width = order == Order::depth_contiguous;
  const int lines = over_width ? tokens : width, depth = over_width ? width : tokens;
  if constexpr (std::is_same_v<Source<Cached, order>, PagedOperand<Cached, order>>)
    return {head,        stride, lines, depth, p.page_table + std::int64_t{at.batch} * p.pages,
            p.page_size, first};
  else
    return {head + (std::int64_t{at.batch} * p.sizes.keys + first) * stride, stride, lines, depth};
}

// Merges what the warps of a block found, of every row, and hands it to store(row, d, part).
template <class Tile, class Store>
__device__ void merge_warps(typename Tile::Output& output,
                            OnlineSoftmax<typename Tile::Scores::Rows>& softmax, Store store) {
  constexpr int columns = Tile::merged_columns;
  auto* const o = reinterpret_cast<float*>(dynamic_shared_memory());  // [warps, rows, columns]
  float* const log2_sum = o + warps * rows * columns;                 // [warps, rows]
  softmax.finish();
  output.scale_rows(softmax.inverse_sums());
  __syncthreads();  // all warps are done with the stages
  auto log2_sums = softmax.log2_sums();
  output.for_each_row(log2_sums, [&](int row, float value) {
    if (leads_rows()) log2_sum[row] = value;
  });
#pragma unroll
  for (int first = 0; first < Tile::head_dim; first += columns) {
    if (first > 0) __syncthreads();  // the columns before are merged
    output.for_each([&](int row, int column, float value) {
      if (column >= first && column < first + columns) o[row * columns + column - first] = value;
    });
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < rows * columns; i += threads) {
      const int row = i / columns, d = i % columns;
      const int column = Tile::in_pairs ? place_when_split<tile_edge>(d) : d;
      store(row, first + d, merge(warps, [&](int warp) {
              return Part{o[(warp * rows + row) * columns + column], log2_sum[warp * rows + row]};
            }));
    }
  }
}

// A block for every split (x), key head and tile of rows (y), and sequence (z).
template <class T, class Cached, int head_dim, template <class, Order> class Source>
__global__ void __launch_bounds__(threads, 2)
    attend_split(Decode<T> p, const Cached* k, const Cached* v) {
  using Tile = Tile<T, Cached, head_dim>;
  const Place at = place_of_block(p);
  const int last_row = min(at.first_row + rows, p.total_rows()) - 1;
  const int first_key = at.split * p.tiles_per_split * Tile::keys;
  const int end_key =
      min(first_key + p.tiles_per_split * Tile::keys, p.sizes.visible_keys(p.query(last_row)));
  const int seen_by_all = p.sizes.visible_keys(p.query(at.first_row));

  const auto queries = load_queries<Tile>(p, at);
  KeyValueStream<typename Tile::K, typename Tile::V, threads, Source> stream(
      dynamic_shared_memory(),
      cached<Order::depth_contiguous, Source, Tile::width>(k, p, at, first_key, end_key),
      cached<Order::rows_contiguous, Source, Tile::width>(v, p, at, first_key, end_key));
  typename Tile::Output output;
  OnlineSoftmax<typename Tile::Scores::Rows> softmax;
  decltype(round_to_operand<T>(typename Tile::Scores())) probabilities;

  const int first_of_warp = output.first_row() / rows * Tile::warp_keys;
  const auto use = [&](int slab, int stage) {
    if (!stream.is_keys(slab))
      return tile_mma(output, probabilities,
                      typename Tile::ValuesOfWarp(stream.values(stage), 0, first_of_warp));
    typename Tile::Scores scores;
    tile_mma(scores, queries, typename Tile::KeysOfWarp(stream.keys(stage), first_of_warp, 0));
    const int first = first_key + slab / 2 * Tile::keys + first_of_warp;
    if (first + Tile::warp_keys > seen_by_all)
      scores.for_each([&](int row, int column, float& score) {
        const int query = p.query(at.first_row + row % rows);
        if (first + column >= p.sizes.visible_keys(query)) score = hidden;
      });
    softmax.absorb(scores, output, p.sizes.scale);
    probabilities = round_to_operand<T>(scores);
  };
  const int tiles = (max(0, end_key - first_key) + Tile::keys - 1) / Tile::keys;
  pipeline<Tile::stages>(
      2 * tiles, [&](int slab, int stage, auto) { stream.issue(slab, stage); },
      [&](int slab, int stage) { stream.commit(slab, stage); }, use);

  merge_warps<Tile>(output, softmax, [&](int line, int d, const Part& part) {
    if (at.first_row + line > last_row) return;
    const std::int64_t row = p.token_row(at.batch, at.kv_head, at.first_row + line);
    p.partial_o[(row * p.splits + at.split) * head_dim + d] = part.o;
    if (d == 0) p.partial_log2[row * p.splits + at.split] = part.log2_sum;
  });
}

// A block for every row of o (x), a thread for every element of it.
template <class T, int head_dim>
__global__ void __launch_bounds__(head_dim) merge_splits(Decode<T> p) {
  const std::int64_t row = blockIdx.x, first = row * p.splits;
  const int d = static_cast<int>(threadIdx.x);
  const Part all = merge(p.splits, [&](int split) {
    return Part{p.partial_o[(first + split) * head_dim + d], p.partial_log2[first + split]};
  });
  p.o[row * head_dim + d] = from_float<T>(all.o);
  const auto head = static_cast<int>(row % p.sizes.heads);
  const std::int64_t token = row / p.sizes.heads;
  if (d == 0)
    p.lse[p.sizes.lse_element(static_cast<int>(token / p.sizes.queries), head,
                              static_cast<int>(token % p.sizes.queries))] = all.log2_sum * ln_2;
}

// ---- on the host

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// How the keys are cut.
struct Split {
  std::int64_t row_tiles, tiles, splits;  // tiles of one split
  std::string tile;
};

template <class T, class Cached, int head_dim, template <class, Order> class Source>
Split split_keys(const GpuDevice& device, const Attention& p) {
  using Tile = Tile<T, Cached, head_dim>;
  constexpr auto kernel = attend_split<T, Cached, head_dim, Source>;
  int resident = 0;
  check(allow_shared_memory(kernel, Tile::shared_bytes));
  check(resident_blocks(&resident, kernel, threads, Tile::shared_bytes));
  const std::int64_t slots = std::int64_t{device.info().compute_units} * std::max(1, resident);
  const std::int64_t row_tiles = divide_up(p.heads / p.kv_heads * p.queries, rows);
  const std::int64_t all_tiles = divide_up(p.keys, Tile::keys);
  const std::int64_t wanted =
      std::clamp<std::int64_t>(slots / (p.batch * p.kv_heads * row_tiles), 1, all_tiles);
  const std::int64_t tiles = divide_up(all_tiles, wanted);
  return {row_tiles, tiles, divide_up(all_tiles, tiles),
          "tiles of 16 rows and " + std::to_string(Tile::keys) + " keys, " +
              std::to_string(Tile::stages) + " stages, "};
}

// What the splits leave for each other.
struct Workspace {
  Buffer<float> o, log2_sums;
};

template <class T, class Cached, int head_dim, template <class, Order> class Source>
void enqueue_decode(const GpuDevice& device, const Attention& p, const Split& split,
                    const Workspace& workspace, const Arguments& arguments) {
  using Tile = Tile<T, Cached, head_dim>;
  const bool paged = p.page_size > 0;
  const Decode<T> decode = {
      .o = arguments.get<T>("o"),
      .lse = arguments.get<float>("lse"),
      .q = arguments.get<T>("q"),
      .page_table = paged ? arguments.get<std::int32_t>("page_table") : nullptr,
      .pages = paged ? static_cast<int>(divide_up(p.keys, p.page_size)) : 0,
      .page_size = static_cast<int>(p.page_size),
      .sizes = AttentionSizes(p),
      .tiles_per_split = static_cast<int>(split.tiles),
      .splits = static_cast<int>(split.splits),
      .partial_o = workspace.o.data(),
      .partial_log2 = workspace.log2_sums.data()};
  launch(attend_split<T, Cached, head_dim, Source>,
         {.blocks = split.splits,
          .threads = threads,
          .shared_bytes = Tile::shared_bytes,
          .blocks_y = p.kv_heads * split.row_tiles,
          .blocks_z = p.batch},
         device.stream(), decode, arguments.get<const Cached>("k"),
         arguments.get<const Cached>("v"));
  launch(merge_splits<T, head_dim>, {.blocks = p.batch * p.queries * p.heads, .threads = head_dim},
         device.stream(), decode);
}

template <class T, class Cached, int head_dim, template <class, Order> class Source>
std::unique_ptr<Run> prepare_decode(GpuDevice& device, const Attention& p, const Inputs& inputs) {
  const Split split = split_keys<T, Cached, head_dim, Source>(device, p);
  const auto parts = static_cast<std::size_t>(p.batch * p.queries * p.heads * split.splits);
  const auto workspace =
      std::make_shared<Workspace>(Buffer<float>(parts * head_dim), Buffer<float>(parts));
  return make_run(
      device, p, inputs,
      [=, &device](const Arguments& arguments) {
        enqueue_decode<T, Cached, head_dim, Source>(device, p, split, *workspace, arguments);
      },
      {.detail =
           split.tile + std::to_string(split.splits) + " splits, " + matrix_units(device.info())});
}

Support supports(const Attention& p, const DeviceInfo&) {
  if (p.pass != Pass::decode) return {Support::foreign, {}};
  return supports_attention_tiles(p);
}

std::unique_ptr<Run> prepare(GpuDevice& device, const Attention& p, const Inputs& inputs) {
  return with_attention_types(p, [&]<class T, int head_dim>() {
    const auto with_cache = [&]<class Cached>() {
      return p.page_size > 0
                 ? prepare_decode<T, Cached, head_dim, PagedOperand>(device, p, inputs)
                 : prepare_decode<T, Cached, head_dim, GlobalOperand>(device, p, inputs);
    };
    return p.fp8_cache ? with_cache.template operator()<fp8x2>()
                       : with_cache.template operator()<T>();
  });
}

}  // namespace

std::span<const Kernel> attention_decode_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("split_keys", Tier::portable)};
  return table;
}

}  // namespace steelyard::gpu
