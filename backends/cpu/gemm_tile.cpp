// SPDX-License-Identifier: Apache-2.0
// Blocked GEMM on packed panels, for the instruction set this file is compiled for.
//
// Idea     A slab of k at a time, a block of A and a block of B are copied into panels in the order in
//          which the innermost loop reads them; on the way they are transposed where the layout asks
//          for it, widened (f16, int8; bf16 without a dot product), decoded (fp8, int4) and padded with
//          zeros. That loop keeps panel_rows x 2 vectors of sums in registers. Sums of a tile stay in
//          the widest type until the last slab; then alpha, beta, scales of rows and columns and the
//          one rounding into C follow. Scales that change along k apply to the sums of their group,
//          which is then the slab: factors stay exact.
// Traffic  A panel of B (256 x 2 vectors, 32 KiB at 512 bits) passes from L2 through L1, a panel of A
//          (12 KiB) stays in L1. A block of each (480 KiB and 512 KiB) is used max_columns and
//          max_rows times per packing, which makes packing a few per cent of the time.
// Limits   k is not divided between threads. A short C wastes lanes: columns are padded to 2 vectors.
#include "backends/cpu/gemm_tile.h"

#include "backends/cpu/gemm_pack.h"

namespace steelyard::cpu {
namespace {

constexpr std::int64_t max_rows = 480, max_columns = 512;

template <class Product>
constexpr std::int64_t slab_units = 1024 / sizeof(typename Product::Unit);

template <class Product>
constexpr std::int64_t panel_columns = 2 * lanes<typename Product::Sum>;

// ---- the innermost loop

// Where the sums of a tile's panel lie, a row `stride` apart from the next, and the scales of its
// columns, which the sums of this slab are multiplied by; null for none.
template <class Sum>
struct PanelSums {
  Sum* sums;
  std::int64_t stride;
  const float* scale;
};

// sums[rows][2 vectors] (+)= panel of A x panel of B.
template <class Product, bool scaled, int rows>
void multiply_panels(std::int64_t units, const typename Product::Element* a,
                     const typename Product::Element* b, PanelSums<typename Product::Sum> to,
                     bool first) {
  using Sums = Vector<typename Product::Sum>;
  using Units = Vector<typename Product::Unit>;
  constexpr int width = lanes<typename Product::Sum>;
  Sums sum[rows][2] = {};
  if (!first && !scaled)
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < 2; ++j) sum[i][j] = load<Sums>(to.sums + i * to.stride + j * width);
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
    for (int j = 0; j < 2; ++j) {
      typename Product::Sum* place = to.sums + i * to.stride + j * width;
      if constexpr (scaled) {
        sum[i][j] *= load<Sums>(to.scale + j * width);
        if (!first) sum[i][j] += load<Sums>(place);
      }
      std::memcpy(place, &sum[i][j], vector_bytes);
    }
}

// The instance for the rows that are left: no arithmetic on padding where C is short.
template <class Product, bool scaled, int rows = panel_rows>
void multiply_rows(std::int64_t left, std::int64_t units, const typename Product::Element* a,
                   const typename Product::Element* b, PanelSums<typename Product::Sum> to,
                   bool first) {
  if constexpr (rows > 1)
    if (left < rows) return multiply_rows<Product, scaled, rows - 1>(left, units, a, b, to, first);
  multiply_panels<Product, scaled, rows>(units, a, b, to, first);
}

// ---- the tile

template <class Sum, class Output>
void store_tile(const GemmOperands& g, const Tile& tile, const Sum* sums, std::int64_t stride) {
  using Factor = FactorOf<Sum, Output>;
  const auto alpha = static_cast<Factor>(g.alpha), beta = static_cast<Factor>(g.beta);
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    Output* row = static_cast<Output*>(g.c) + (tile.row + i) * g.n + tile.column;
    const Sum* sum = sums + i * stride;
    if (g.a_scale == nullptr) {
      for (std::int64_t j = 0; j < tile.columns; ++j)
        row[j] = finish(static_cast<Factor>(sum[j]), row[j], alpha, beta);
      continue;
    }
    const Factor row_scale = alpha * g.a_scale[tile.row + i];
    for (std::int64_t j = 0; j < tile.columns; ++j)
      row[j] =
          finish(static_cast<Factor>(sum[j]), row[j], row_scale * g.b_scale[tile.column + j], beta);
  }
}

template <class Product>
struct Workspace {
  alignas(64) typename Product::Element a[max_rows * slab_units<Product> * Product::depth];
  alignas(64) typename Product::Element b[max_columns * slab_units<Product> * Product::depth];
  alignas(64) typename Product::Sum sums[max_rows * max_columns];
  alignas(64) Bf16 decoded[panel_columns<Product> * slab_units<Product> * Product::depth];
  alignas(64) float scale[max_columns];
};

template <class Product, bool scaled>
void multiply_blocks(const Tile& tile, std::int64_t units, bool first, Workspace<Product>* work) {
  constexpr std::int64_t columns = panel_columns<Product>;
  for (std::int64_t i = 0; i < tile.rows; i += panel_rows)
    for (std::int64_t j = 0; j < tile.columns; j += columns)
      multiply_rows<Product, scaled>(
          tile.rows - i, units, work->a + i * units * Product::depth,
          work->b + j * units * Product::depth,
          {work->sums + i * max_columns + j, max_columns, work->scale + j}, first);
}

// scaled: B's columns have a scale for every scale_group along k.
template <class Product, class A, class B, class Output, bool scaled>
void compute_tile(const GemmOperands& g, const Tile& tile, void* workspace) {
  auto* work = static_cast<Workspace<Product>*>(workspace);
  const Source<A> a = {static_cast<const A*>(g.a), 0, g.a_transposed ? 1 : g.k,
                       g.a_transposed ? g.m : 1};
  const Source<B> b = {static_cast<const B*>(g.b), tile.group * g.k * g.n, g.b_transposed ? g.k : 1,
                       g.b_transposed ? 1 : g.n};
  constexpr std::int64_t slab = scaled ? scale_group : slab_units<Product> * Product::depth;
  for (std::int64_t p = 0; p < g.k; p += slab) {
    const std::int64_t depth = g.k - p < slab ? g.k - p : slab;
    const std::int64_t units = (depth + Product::depth - 1) / Product::depth;
    pack<Product, panel_rows>(a.at(tile.row, p), tile.rows, depth, work->decoded, work->a);
    pack<Product, panel_columns<Product>>(b.at(tile.column, p), tile.columns, depth, work->decoded,
                                          work->b);
    if constexpr (scaled)
      std::memcpy(work->scale, g.b_scale + p / scale_group * g.n + tile.column,
                  tile.columns * sizeof *work->scale);
    multiply_blocks<Product, scaled>(tile, units, p == 0, work);
  }
  store_tile<typename Product::Sum, Output>(g, tile, work->sums, max_columns);
}

template <class Product, class A, class B, class Output, bool scaled = false>
constexpr TileKernel describe() {
  return {compute_tile<Product, A, B, Output, scaled>,
          panel_rows,
          panel_columns<Product>,
          max_rows,
          max_columns,
          sizeof(Workspace<Product>)};
}

template <class Product, class A, class B, bool scaled = false>
TileKernel into(DType output) {
  if (output == DType::f32) return describe<Product, A, B, float, scaled>();
  if (output == DType::bf16) return describe<Product, A, B, Bf16, scaled>();
  if (output == DType::f16) return describe<Product, A, B, _Float16, scaled>();
  return {};
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

TileKernel tile_kernel(const Gemm& p) {
  using enum DType;
  using Scalar = MultiplyAdd<float>;
  if (p.scaling == Scaling::w4a16) {
    if (p.a == bf16) return into<Bf16Product, Bf16, Int4, true>(p.c);
    if (p.a == f16) return into<Scalar, _Float16, Int4, true>(p.c);
    return {};
  }
  if (p.a != p.b) return {};
  if (p.a == fp8_e4m3) return into<Bf16Product, Fp8, Fp8>(p.c);
  if (p.a == int8 && p.scaling == Scaling::w8a8)
    return into<DotInt16, std::int8_t, std::int8_t>(p.c);
  if (p.a == int8 && p.c == int32)
    return describe<DotInt16, std::int8_t, std::int8_t, std::int32_t>();
  if (p.a == bf16) return into<Bf16Product, Bf16, Bf16>(p.c);
  if (p.a == f16) return into<Scalar, _Float16, _Float16>(p.c);
  if (p.a == f32 && p.c == f32) return describe<Scalar, float, float, float>();
  if (p.a == f64 && p.c == f64) return describe<MultiplyAdd<double>, double, double, double>();
  return {};
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
