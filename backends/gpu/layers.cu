// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/layers.h"

#include <algorithm>

#include "backends/gpu/team.h"

namespace steelyard::gpu {
namespace {

constexpr int threads_per_unit = 2048;  // what a compute unit of either vendor holds at most

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

Support supports_type(DType type) {
  if (with_float_type(type, [](auto) {})) return {};
  return {Support::no,
          "portable GPU kernels compute in f32, bf16 and f16, not " + std::string(name(type))};
}

Support supports_held_row(const Layer& p, int threads) {
  const std::int64_t longest = std::int64_t{threads} * held_elements;
  if (p.columns <= longest) return {};
  return {Support::no, "rows are kept in registers up to " + std::to_string(longest) + " columns"};
}

Grid packet_grid(const GpuDevice& device, std::int64_t packets) {
  constexpr int threads = 256;
  const std::int64_t resident = device.info().compute_units * (threads_per_unit / threads);
  return {.blocks = std::clamp<std::int64_t>(divide_up(packets, threads), 1, resident),
          .threads = threads};
}

RowGrid row_grid(const GpuDevice& device, std::int64_t rows, std::int64_t threads_per_row,
                 int most_threads_per_row) {
  constexpr int small_block = 256;
  const std::int64_t wanted = divide_up(threads_per_row, warp_size) * warp_size;
  const auto team = static_cast<int>(std::min<std::int64_t>(wanted, most_threads_per_row));
  const int threads = team == warp_size ? small_block : team;
  const int teams_per_block = threads / team;
  const std::int64_t resident = device.info().compute_units * (threads_per_unit / threads);
  const std::int64_t blocks = std::min(divide_up(rows, teams_per_block), resident);
  return {.grid = {.blocks = blocks, .threads = threads},
          .team = team,
          .teams = blocks * teams_per_block};
}

RowGrid held_row_grid(const GpuDevice& device, const Layer& p, int most_threads_per_row) {
  return row_grid(device, p.rows, divide_up(p.columns, held_elements), most_threads_per_row);
}

}  // namespace steelyard::gpu
