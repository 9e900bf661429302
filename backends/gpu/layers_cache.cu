// SPDX-License-Identifier: Apache-2.0
// Rows moved and added by index: the embedding table and its gradient, and new tokens into a cache.
//
// Idea: a team copies a row as bytes, by the widest access that divides it, so that one kernel serves
// every type. New tokens of an fp8 cache are rounded on their way instead.
// Traffic: each row once in and once out, and its index.
// Limits: DRAM bandwidth; rows shorter than a few hundred bytes use parts of the memory's bursts.
#include <algorithm>

#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/moved_rows.h"
#include "backends/gpu/narrow.h"
#include "backends/gpu/team.h"

namespace steelyard::gpu {
namespace {

constexpr int row_threads = 256;

// y[row] = table[ids[row]], of `units` units each
template <class Unit>
__global__ void __launch_bounds__(row_threads)
    gather_rows(Unit* y, const Unit* table, const std::int32_t* ids, std::int64_t rows,
                std::int64_t units, int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    const Unit* const from = table + ids[row] * units;
    each_packet<1>(team, units, [&](std::int64_t i) { y[row * units + i] = from[i]; });
  }
}

void enqueue_gather(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  with_row_unit(p, [&]<class Unit>(Unit) {
    const std::int64_t units = row_units<Unit>(p);
    const RowGrid rows = row_grid(device, p.rows, units, row_threads);
    launch(gather_rows<Unit>, rows.grid, device.stream(), arguments.get<Unit>("y"),
           arguments.get<Unit>("table"), arguments.get<std::int32_t>("ids"), p.rows, units,
           rows.team);
  });
}

// Where a row's new token goes: its position among `context`, which lies in a page of the row's own
// list where there are pages.
struct CacheLines {
  const std::int32_t* positions;
  const std::int32_t* page_table;  // [rows, pages]; null: a contiguous cache [rows, context]
  std::int64_t context, page_size, pages;

  __device__ std::int64_t of(std::int64_t row) const {
    const std::int64_t position = positions[row];
    if (page_table == nullptr) return row * context + position;
    const std::int64_t page = page_table[row * pages + position / page_size];
    return page * page_size + position % page_size;
  }
};

template <class Unit>
__global__ void __launch_bounds__(row_threads)
    append_rows(Unit* k_cache, Unit* v_cache, const Unit* k, const Unit* v, CacheLines lines,
                std::int64_t rows, std::int64_t units, int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    const std::int64_t to = lines.of(row) * units, from = row * units;
    each_packet<1>(team, units, [&](std::int64_t i) {
      const Unit key = k[from + i], value = v[from + i];
      k_cache[to + i] = key;
      v_cache[to + i] = value;
    });
  }
}

template <class T, int width>
__global__ void __launch_bounds__(row_threads)
    append_rounded_rows(fp8_e4m3* k_cache, fp8_e4m3* v_cache, const T* k, const T* v,
                        CacheLines lines, std::int64_t rows, std::int64_t columns,
                        int team_threads) {
  const Team team(team_threads);
  const auto as_it_is = [](float x) { return x; };
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    const std::int64_t to = lines.of(row) * columns, from = row * columns;
    each_packet<width>(team, columns, [&](std::int64_t i) {
      const auto key = load_vector<width>(k + from + i), value = load_vector<width>(v + from + i);
      store_narrow(k_cache + to + i, key, as_it_is);
      store_narrow(v_cache + to + i, value, as_it_is);
    });
  }
}

CacheLines cache_lines(const Layer& p, const Arguments& arguments) {
  const bool paged = p.page_size > 0;
  return {arguments.get<std::int32_t>("positions"),
          paged ? arguments.get<std::int32_t>("page_table") : nullptr, p.entries, p.page_size,
          paged ? (p.entries + p.page_size - 1) / p.page_size : 0};
}

void enqueue_rounded_append(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    const RowGrid rows = row_grid(device, p.rows, p.columns / width, row_threads);
    launch(append_rounded_rows<T, width>, rows.grid, device.stream(),
           arguments.get<fp8_e4m3>("k_cache"), arguments.get<fp8_e4m3>("v_cache"),
           arguments.get<T>("k"), arguments.get<T>("v"), cache_lines(p, arguments), p.rows,
           p.columns, rows.team);
  });
}

void enqueue_append(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  if (p.fp8_cache) return enqueue_rounded_append(device, p, arguments);
  const CacheLines lines = cache_lines(p, arguments);
  with_row_unit(p, [&]<class Unit>(Unit) {
    const std::int64_t units = row_units<Unit>(p);
    const RowGrid rows = row_grid(device, p.rows, units, row_threads);
    launch(append_rows<Unit>, rows.grid, device.stream(), arguments.get<Unit>("k_cache"),
           arguments.get<Unit>("v_cache"), arguments.get<Unit>("k"), arguments.get<Unit>("v"),
           lines, p.rows, units, rows.team);
  });
}

Support supports_append(const Layer& p, const DeviceInfo& info) {
  const Support support = supports_move<LayerOp::cache_append>(p, info);
  return support.answer == Support::yes && p.fp8_cache ? supports_type(p.dtype) : support;
}

// Idea: dtable[ids[row]] += dy[row] by atomic additions of f32, so that rows may name an entry more
// than once; neighbouring lanes add to neighbouring addresses, which the L2 cache takes together.
// Traffic: dy once; the named rows of dtable are read and written where the L2 cache keeps them.
// Limits: the rate of atomic additions. The order of sums, and so their last bits, varies from run to
// run.
template <class T>
__global__ void __launch_bounds__(row_threads)
    scatter_add(float* dtable, const T* dy, const std::int32_t* ids, std::int64_t rows,
                std::int64_t columns, int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    float* const to = dtable + ids[row] * columns;
    const T* const from = dy + row * columns;
    each_packet<1>(team, columns,
                   [&](std::int64_t column) { atomic_add(to + column, to_float(from[column])); });
  }
}

void enqueue_scatter(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  constexpr std::int64_t elements_per_thread = 8;
  const RowGrid rows = row_grid(
      device, p.rows, (p.columns + elements_per_thread - 1) / elements_per_thread, row_threads);
  with_float_type(p.dtype, [&]<class T>(T) {
    launch(scatter_add<T>, rows.grid, device.stream(), arguments.get<float>("dtable"),
           arguments.get<T>("dy"), arguments.get<std::int32_t>("ids"), p.rows, p.columns,
           rows.team);
  });
}

}  // namespace

std::span<const Kernel> cache_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports_move<LayerOp::embedding_gather>, prepare_layer<enqueue_gather>>(
          "copy_rows", Tier::portable),
      kernel<supports_append, prepare_layer<enqueue_append>>("copy_rows", Tier::portable),
      kernel<supports<Pass::forward, LayerOp::embedding_scatter>, prepare_layer<enqueue_scatter>>(
          "atomic_add", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
