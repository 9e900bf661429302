// SPDX-License-Identifier: Apache-2.0
// Divides C into tiles, which the team takes one after the other.
#include "backends/cpu/gemm.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "backends/cpu/gemm_tile.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/region.h"
#include "backends/cpu/threads.h"

namespace steelyard::cpu {
namespace {

TileKernel tile_kernel(InstructionSet set, const Gemm& p) {
  return compiled_for(set, baseline::tile_kernel, v3::tile_kernel, v4::tile_kernel,
                      v4_dot::tile_kernel)(p);
}

struct Grid {
  std::int64_t rows, columns;  // of one tile
};

// Tiles of m x n as large as the kernel allows, halved along the longer side until there are as
// many as wanted, then evened out so that the last one is no sliver.
Grid divide(const Gemm& p, std::int64_t m, const TileKernel& kernel, std::int64_t wanted) {
  Grid grid = {std::min(kernel.max_rows, m), std::min(kernel.max_columns, p.n)};
  while (divide_up(m, grid.rows) * divide_up(p.n, grid.columns) < wanted &&
         grid.rows * grid.columns * p.k > worth_dividing) {
    const bool rows_can = grid.rows > kernel.panel_rows;
    const bool columns_can = grid.columns > kernel.panel_columns;
    if (!rows_can && !columns_can) break;
    std::int64_t& longer =
        rows_can && (!columns_can || grid.rows > grid.columns) ? grid.rows : grid.columns;
    longer = divide_up(longer, 2);
  }
  const auto even = [](std::int64_t all, std::int64_t one, std::int64_t panel) {
    return divide_up(divide_up(all, divide_up(all, one)), panel) * panel;
  };
  return {even(m, grid.rows, kernel.panel_rows), even(p.n, grid.columns, kernel.panel_columns)};
}

// A group gets tiles for its share of the threads.
std::vector<Tile> cut(const Gemm& p, const TileKernel& kernel, std::span<const Group> groups,
                      std::int64_t threads) {
  std::vector<Tile> tiles;
  for (const auto& [number, first_row, rows] : groups) {
    const Grid grid = divide(p, rows, kernel, divide_up(threads * rows, p.m));
    for (std::int64_t row = 0; row < rows; row += grid.rows)
      for (std::int64_t column = 0; column < p.n; column += grid.columns)
        tiles.push_back({first_row + row, column, std::min(grid.rows, rows - row),
                         std::min(grid.columns, p.n - column), number});
  }
  return tiles;
}

void multiply(const Gemm& p, const TileKernel& kernel, const Region& workspace,
              const Arguments& arguments) {
  const GemmOperands operands = gemm_operands(p, arguments);
  const std::vector<Tile> tiles = cut(p, kernel, gemm_groups(p, arguments), omp_get_max_threads());
#pragma omp parallel for schedule(dynamic) if (tiles.size() > 1)
  for (std::size_t i = 0; i < tiles.size(); ++i)
    kernel.compute(operands, tiles[i],
                   workspace.data() + omp_get_thread_num() * align(kernel.workspace_bytes));
}

Support supports(const Gemm& p, const DeviceInfo&) {
  if (baseline::tile_kernel(p).compute == nullptr)
    return {Support::no,
            fmt::format("the portable CPU kernel does not multiply {} by {} into {}{}", name(p.a),
                        name(p.b), name(p.c), p.scaling == Scaling::none ? "" : " with scales")};
  return {};
}

std::unique_ptr<Run> prepare(CpuDevice& device, const Gemm& p, const Inputs& inputs) {
  return prepare_packed_gemm(best_instruction_set(), device, p, inputs);
}

}  // namespace

GemmOperands gemm_operands(const Gemm& p, const Arguments& arguments) {
  GemmOperands operands = {.a = arguments.data("a"),
                           .b = arguments.data("b"),
                           .c = arguments.data("c"),
                           .m = p.m,
                           .n = p.n,
                           .k = p.k,
                           .a_transposed = p.layout == Layout::tn,
                           .b_transposed = p.layout == Layout::nt,
                           .alpha = p.alpha,
                           .beta = p.beta};
  if (p.scaling == Scaling::w8a8) operands.a_scale = arguments.get<float>("a_scale");
  if (p.scaling != Scaling::none) operands.b_scale = arguments.get<float>("b_scale");
  return operands;
}

std::vector<Group> gemm_groups(const Gemm& p, const Arguments& arguments) {
  if (p.groups == 1) return {{0, 0, p.m}};
  const auto* offsets = arguments.get<const std::int32_t>("offsets");
  std::vector<Group> groups;
  for (std::int64_t g = 0; g < p.groups; ++g)
    if (offsets[g] < offsets[g + 1]) groups.push_back({g, offsets[g], offsets[g + 1] - offsets[g]});
  return groups;
}

std::unique_ptr<Run> prepare_packed_gemm(InstructionSet set, CpuDevice& device, const Gemm& p,
                                         const Inputs& inputs) {
  const TileKernel kernel = tile_kernel(set, p);
  const auto workspace =
      device.workspace(align(kernel.workspace_bytes) * device.info().compute_units);
  return make_run(
      p, inputs, [=](const Arguments& arguments) { multiply(p, kernel, *workspace, arguments); },
      std::string(name(set)));
}

std::span<const Kernel> gemm_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("packed", Tier::portable)};
  return table;
}

}  // namespace steelyard::cpu
