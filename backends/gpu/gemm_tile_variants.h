// SPDX-License-Identifier: Apache-2.0
// The shapes of tile that GEMM kernels are compiled for. Included by one file per type.
#pragma once

#include "backends/gpu/gemm_tile_kernel.h"

namespace steelyard::gpu {

// Warps with 64x64 sums use a fragment four times; 128x64 sums fill the larger register files of
// AMD. Half of that fits of f64, of 8-bit factors that registers transpose on their way, and of fp8
// by mma.sync, which sm_90 computes in f16.
template <class T, bool transposes>
struct TileShapes {
  static constexpr bool amd = warp_size == 64;
  static constexpr bool is_fp8 = std::is_same_v<T, fp8_e4m3> || std::is_same_v<T, fp8_e5m2>;
  static constexpr bool half = sizeof(T) == 8 || (sizeof(T) == 1 && transposes) || (is_fp8 && !amd);
  template <class OfAmd, class OfNvidia>
  using Choose = std::conditional_t<amd, OfAmd, OfNvidia>;
  template <class Whole, class Half>
  using Fitting = std::conditional_t<half, Half, Whole>;

  // rows, columns, depth_bytes, warps_m, warps_n, stages
  using Medium = Fitting<Choose<Shape<128, 128, 64, 2, 2, 2>, Shape<128, 128, 64, 2, 2, 4>>,
                         Choose<Shape<128, 64, 64, 2, 2, 2>, Shape<128, 64, 64, 4, 2, 4>>>;
  using Large = Fitting<
      Choose<Shape<256, 256, 64, 2, 4, 2>, Shape<128, 256, 64, 2, 4, 4>>,
      Choose<Shape<128, 128, 64, 2, 2, 2>,
             std::conditional_t<is_fp8 && transposes, Medium, Shape<128, 128, 64, 2, 4, 4>>>>;
  using Smallest = Choose<Shape<64, 64, 64, 2, 2, 2>, Shape<64, 64, 64, 2, 2, 4>>;
  using Small =
      std::conditional_t<is_fp8 && transposes && !amd, Smallest,
                         Choose<Shape<64, 64, 128, 2, 2, 2>, Shape<64, 64, 128, 2, 2, 4>>>;
};

template <class T, Order a, Order b>
std::span<const TileVariant> variants_of_orders() {
  constexpr bool transposes = stored_order<T>(a) != a || stored_order<T>(b) != b;
  using Shapes = TileShapes<T, transposes>;
  static constexpr TileVariant table[] = {
      tile_variant<TileConfiguration<T, typename Shapes::Large, a, b, true>>,
      tile_variant<TileConfiguration<T, typename Shapes::Medium, a, b, true>>,
      tile_variant<TileConfiguration<T, typename Shapes::Small, a, b, true>>,
      tile_variant<TileConfiguration<T, typename Shapes::Smallest, a, b, false>>,
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
