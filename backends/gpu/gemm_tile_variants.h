// SPDX-License-Identifier: Apache-2.0
// The shapes of tile that GEMM kernels are compiled for. Included by one file per type.
#pragma once

#include "backends/gpu/gemm_tile_kernel.h"

namespace steelyard::gpu {

// Warps with 64x64 sums use a fragment four times; 128x64 sums fill the larger register files of
// AMD. Where a factor is gathered element by element or sums are f64, half of that fits.
template <class T, bool gathers>
struct TileShapes {
  static constexpr bool amd = warp_size == 64, half = sizeof(T) == 8 || gathers;
  template <class OfAmd, class OfNvidia>
  using Choose = std::conditional_t<amd, OfAmd, OfNvidia>;
  template <class Whole, class Half>
  using Fitting = std::conditional_t<half, Half, Whole>;

  // rows, columns, depth_bytes, warps_m, warps_n, stages
  using Large = Fitting<Choose<Shape<256, 256, 64, 2, 4, 2>, Shape<128, 256, 64, 2, 4, 4>>,
                        Choose<Shape<128, 128, 64, 2, 2, 2>, Shape<128, 128, 64, 2, 4, 4>>>;
  using Medium = Fitting<Choose<Shape<128, 128, 64, 2, 2, 2>, Shape<128, 128, 64, 2, 2, 4>>,
                         Choose<Shape<128, 64, 64, 2, 2, 2>, Shape<128, 64, 64, 4, 2, 4>>>;
  using Small = Choose<Shape<64, 64, 128, 2, 2, 2>, Shape<64, 64, 128, 2, 2, 4>>;
};

template <class C>
inline constexpr TileVariant tile_variant = {C::shape, C::whole_chunks, enqueue_tile_gemm<C>};

template <class T, Order a, Order b>
std::span<const TileVariant> variants_of_orders() {
  constexpr bool gathers = loads_either_order && sizeof(T) != 2 &&
                           (a == Order::rows_contiguous || b == Order::rows_contiguous);
  using Shapes = TileShapes<T, gathers>;
  static constexpr TileVariant table[] = {
      tile_variant<TileConfiguration<T, typename Shapes::Large, a, b, true>>,
      tile_variant<TileConfiguration<T, typename Shapes::Medium, a, b, true>>,
      tile_variant<TileConfiguration<T, typename Shapes::Small, a, b, true>>,
      tile_variant<TileConfiguration<T, typename Shapes::Small, a, b, false>>,
  };
  return table;
}

template <class T>
std::span<const TileVariant> tile_variants(Layout layout) {
  using enum Order;
  switch (layout) {
    case Layout::nn:
      return variants_of_orders<T, depth_contiguous, rows_contiguous>();
    case Layout::nt:
      return variants_of_orders<T, depth_contiguous, depth_contiguous>();
    case Layout::tn:
      return variants_of_orders<T, rows_contiguous, rows_contiguous>();
  }
  return {};
}

}  // namespace steelyard::gpu
