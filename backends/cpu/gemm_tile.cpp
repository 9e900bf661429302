// SPDX-License-Identifier: Apache-2.0
// Blocked GEMM on packed panels, for the instruction set this file is compiled for.
//
// Idea     A slab of k at a time, a block of A and a block of B are copied into panels in the order in
//          which the innermost loop reads them; on the way they are transposed where the layout asks
//          for it, widened (f16, int8; bf16 without a dot product) and padded with zeros. That loop
//          keeps panel_rows x 2 vectors of sums in registers. Sums of a tile stay in the widest type
//          until the last slab; then alpha, beta and the one rounding into C follow.
// Traffic  A panel of B (256 x 2 vectors, 32 KiB at 512 bits) passes from L2 through L1, a panel of A
//          (12 KiB) stays in L1. A block of each (480 KiB and 512 KiB) is used max_columns and
//          max_rows times per packing, which makes packing a few per cent of the time.
// Limits   k is not divided between threads. A short C wastes lanes: columns are padded to 2 vectors.
#include "backends/cpu/gemm_tile.h"

#include "backends/cpu/gemm_simd.h"

namespace steelyard::cpu {
namespace {

constexpr std::int64_t max_rows = 480, max_columns = 512;

template <class Product>
constexpr std::int64_t slab_units = 1024 / sizeof(typename Product::Unit);

template <class Product>
constexpr std::int64_t panel_columns = 2 * lanes<typename Product::Sum>;

// ---- packing

// A matrix seen from the panel that it is packed into: `across` runs over the panel's width (rows
// of A, columns of B), `along` over k.
template <class Input>
struct Source {
  const Input* data;
  std::int64_t across_stride, along_stride;
};

template <class Product, int width, class Input>
void pack_whole_panel(Source<Input> from, std::int64_t units, typename Product::Element* to) {
  constexpr int depth = Product::depth;
  for (std::int64_t unit = 0; unit < units; ++unit, to += width * depth) {
    const Input* row = from.data + unit * depth * from.along_stride;
    if (from.across_stride == 1)
      for (int i = 0; i < width; ++i)
        for (int d = 0; d < depth; ++d)
          to[i * depth + d] = convert<typename Product::Element>(row[i + d * from.along_stride]);
    else
      for (int i = 0; i < width; ++i)
        for (int d = 0; d < depth; ++d)
          to[i * depth + d] = convert<typename Product::Element>(row[i * from.across_stride + d]);
  }
}

// A panel at the edge: `across` x `along` values exist, the others are zero.
template <class Product, int width, class Input>
void pack_edge_panel(Source<Input> from, std::int64_t across, std::int64_t along,
                     std::int64_t units, typename Product::Element* to) {
  constexpr int depth = Product::depth;
  for (std::int64_t p = 0; p < units * depth; ++p)
    for (std::int64_t i = 0; i < width; ++i) {
      const bool exists = i < across && p < along;
      const Input* value = from.data + i * from.across_stride + p * from.along_stride;
      to[(p / depth * width + i) * depth + p % depth] =
          exists ? convert<typename Product::Element>(*value) : typename Product::Element{};
    }
}

template <class Product, int width, class Input>
void pack(Source<Input> from, std::int64_t across, std::int64_t along,
          typename Product::Element* to) {
  constexpr int depth = Product::depth;
  const std::int64_t units = (along + depth - 1) / depth;
  for (std::int64_t i = 0; i < across; i += width, to += units * width * depth) {
    const Source<Input> panel = {from.data + i * from.across_stride, from.across_stride,
                                 from.along_stride};
    if (i + width <= across && along % depth == 0)
      pack_whole_panel<Product, width>(panel, units, to);
    else
      pack_edge_panel<Product, width>(panel, across - i, along, units, to);
  }
}

// ---- the innermost loop

// sums[rows][2 vectors] (+)= panel of A x panel of B; a row of sums is `stride` apart from the
// next.
template <class Product, int rows>
void multiply_panels(std::int64_t units, const typename Product::Element* a,
                     const typename Product::Element* b, typename Product::Sum* sums,
                     std::int64_t stride, bool first) {
  using Sums = Vector<typename Product::Sum>;
  using Units = Vector<typename Product::Unit>;
  constexpr int width = lanes<typename Product::Sum>;
  Sums sum[rows][2] = {};
  if (!first)
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < 2; ++j) sum[i][j] = load<Sums>(sums + i * stride + j * width);
  constexpr int depth = Product::depth;
  for (std::int64_t p = 0; p < units; ++p, a += panel_rows * depth, b += 2 * width * depth) {
    const auto b0 = load<Units>(b), b1 = load<Units>(b + width * depth);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const auto unit = load<typename Product::Unit>(a + i * depth);
      sum[i][0] = Product::step(sum[i][0], unit, b0);
      sum[i][1] = Product::step(sum[i][1], unit, b1);
    }
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < 2; ++j)
      std::memcpy(sums + i * stride + j * width, &sum[i][j], vector_bytes);
}

// The instance for the rows that are left: no arithmetic on padding where C is short.
template <class Product, int rows = panel_rows>
void multiply_rows(std::int64_t left, std::int64_t units, const typename Product::Element* a,
                   const typename Product::Element* b, typename Product::Sum* sums,
                   std::int64_t stride, bool first) {
  if constexpr (rows > 1)
    if (left < rows)
      return multiply_rows<Product, rows - 1>(left, units, a, b, sums, stride, first);
  multiply_panels<Product, rows>(units, a, b, sums, stride, first);
}

// ---- the tile

template <class Sum>
struct FactorOf {
  using type = Sum;
};
template <>
struct FactorOf<std::int32_t> {
  using type = double;
};

template <class Sum, class Output>
void store_tile(const GemmOperands& g, const Tile& tile, const Sum* sums, std::int64_t stride) {
  using Factor = typename FactorOf<Sum>::type;
  const auto alpha = static_cast<Factor>(g.alpha), beta = static_cast<Factor>(g.beta);
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    Output* row = static_cast<Output*>(g.c) + (tile.row + i) * g.n + tile.column;
    for (std::int64_t j = 0; j < tile.columns; ++j)
      row[j] = finish(sums[i * stride + j], row[j], alpha, beta);
  }
}

template <class Product>
struct Workspace {
  alignas(64) typename Product::Element a[max_rows * slab_units<Product> * Product::depth];
  alignas(64) typename Product::Element b[max_columns * slab_units<Product> * Product::depth];
  alignas(64) typename Product::Sum sums[max_rows * max_columns];
};

template <class Product, class Input, class Output>
void compute_tile(const GemmOperands& g, const Tile& tile, void* workspace) {
  constexpr std::int64_t columns = panel_columns<Product>, stride = max_columns;
  auto* work = static_cast<Workspace<Product>*>(workspace);
  const Source<Input> a = {static_cast<const Input*>(g.a), g.a_transposed ? 1 : g.k,
                           g.a_transposed ? g.m : 1};
  const Source<Input> b = {static_cast<const Input*>(g.b), g.b_transposed ? g.k : 1,
                           g.b_transposed ? 1 : g.n};
  constexpr std::int64_t slab = slab_units<Product> * Product::depth;
  for (std::int64_t p = 0; p < g.k; p += slab) {
    const std::int64_t depth = g.k - p < slab ? g.k - p : slab;
    const std::int64_t units = (depth + Product::depth - 1) / Product::depth;
    pack<Product, panel_rows>(
        Source<Input>{a.data + tile.row * a.across_stride + p * a.along_stride, a.across_stride,
                      a.along_stride},
        tile.rows, depth, work->a);
    pack<Product, columns>(
        Source<Input>{b.data + tile.column * b.across_stride + p * b.along_stride, b.across_stride,
                      b.along_stride},
        tile.columns, depth, work->b);
    for (std::int64_t i = 0; i < tile.rows; i += panel_rows)
      for (std::int64_t j = 0; j < tile.columns; j += columns)
        multiply_rows<Product>(tile.rows - i, units, work->a + i * units * Product::depth,
                               work->b + j * units * Product::depth, work->sums + i * stride + j,
                               stride, p == 0);
  }
  store_tile<typename Product::Sum, Output>(g, tile, work->sums, stride);
}

template <class Product, class Input, class Output>
constexpr TileKernel describe() {
  return {compute_tile<Product, Input, Output>,
          panel_rows,
          panel_columns<Product>,
          max_rows,
          max_columns,
          sizeof(Workspace<Product>)};
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

TileKernel tile_kernel(DType input, DType output) {
  using enum DType;
  if (input == f64 && output == f64) return describe<MultiplyAdd<double>, double, double>();
  if (input == f32 && output == f32) return describe<MultiplyAdd<float>, float, float>();
  if (input == f16 && output == f16) return describe<MultiplyAdd<float>, _Float16, _Float16>();
  if (input == f16 && output == f32) return describe<MultiplyAdd<float>, _Float16, float>();
  if (input == bf16 && output == bf16) return describe<Bf16Product, Bf16, Bf16>();
  if (input == bf16 && output == f32) return describe<Bf16Product, Bf16, float>();
  if (input == int8 && output == int32) return describe<DotInt16, std::int8_t, std::int32_t>();
  return {};
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
