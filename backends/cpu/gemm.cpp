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

TileKernel tile_kernel(InstructionSet set, DType input, DType output) {
  return compiled_for(set, baseline::tile_kernel, v3::tile_kernel, v4::tile_kernel,
                      v4_dot::tile_kernel)(input, output);
}

struct Grid {
  std::int64_t rows, columns;  // of one tile
};

// Tiles as large as the kernel allows, halved along the longer side until every thread has one,
// then evened out so that the last one is no sliver.
Grid divide(const Gemm& p, const TileKernel& kernel, std::int64_t threads) {
  Grid grid = {std::min(kernel.max_rows, p.m), std::min(kernel.max_columns, p.n)};
  while (divide_up(p.m, grid.rows) * divide_up(p.n, grid.columns) < threads &&
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
  return {even(p.m, grid.rows, kernel.panel_rows), even(p.n, grid.columns, kernel.panel_columns)};
}

void multiply(const Gemm& p, const TileKernel& kernel, const Region& workspace,
              const Arguments& arguments) {
  const GemmOperands operands = gemm_operands(p, arguments);
  const Grid grid = divide(p, kernel, omp_get_max_threads());
  const std::int64_t across = divide_up(p.n, grid.columns);
  const std::int64_t tiles = divide_up(p.m, grid.rows) * across;
#pragma omp parallel for schedule(dynamic) if (tiles > 1)
  for (std::int64_t i = 0; i < tiles; ++i) {
    const std::int64_t row = i / across * grid.rows, column = i % across * grid.columns;
    const Tile tile = {row, column, std::min(grid.rows, p.m - row),
                       std::min(grid.columns, p.n - column)};
    kernel.compute(operands, tile,
                   workspace.data() + omp_get_thread_num() * align(kernel.workspace_bytes));
  }
}

Support supports(const Gemm& p, const DeviceInfo&) {
  if (p.groups > 1) return {Support::no, "grouped GEMM has no portable CPU kernel"};
  if (p.scaling != Scaling::none) return {Support::no, "scaled GEMM has no portable CPU kernel"};
  if (p.a != p.b || baseline::tile_kernel(p.a, p.c).compute == nullptr)
    return {Support::no, fmt::format("the portable CPU kernel does not multiply {} by {} into {}",
                                     name(p.a), name(p.b), name(p.c))};
  return {};
}

std::unique_ptr<Run> prepare(CpuDevice& device, const Gemm& p, const Inputs& inputs) {
  return prepare_packed_gemm(best_instruction_set(), device, p, inputs);
}

}  // namespace

GemmOperands gemm_operands(const Gemm& p, const Arguments& arguments) {
  return {arguments.data("a"),
          arguments.data("b"),
          arguments.data("c"),
          p.m,
          p.n,
          p.k,
          p.layout == Layout::tn,
          p.layout == Layout::nt,
          p.alpha,
          p.beta};
}

std::unique_ptr<Run> prepare_packed_gemm(InstructionSet set, CpuDevice& device, const Gemm& p,
                                         const Inputs& inputs) {
  const TileKernel kernel = tile_kernel(set, p.a, p.c);
  const auto workspace =
      std::make_shared<Region>(align(kernel.workspace_bytes) * device.info().compute_units);
  return make_run(
      p, inputs, [=](const Arguments& arguments) { multiply(p, kernel, *workspace, arguments); },
      std::string(name(set)));
}

std::span<const Kernel> gemm_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("packed", Tier::portable)};
  return table;
}

}  // namespace steelyard::cpu
