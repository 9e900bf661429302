// SPDX-License-Identifier: Apache-2.0
// GEMM of 16-bit A and int4 weights B, which have a scale for every column and group along the depth.
//
// Idea: as gemm_tile_kernel.h, but weights stay packed until a lane needs them in registers. Rounding a
// scaled weight would cost accuracy: a group's products are summed unscaled, then scaled in f32 and added
// to the sums of the groups before.
// Traffic: half a byte for every weight, once for each row of tiles; A once per tile column, from L2; C once.
// Limits: DRAM where A has few rows, if decoding keeps up (about 4 operations of ordinary lanes for each
// weight of each row of tiles), otherwise matrix units.
#include "backends/gpu/gemm_tile_kernel.h"

namespace steelyard::gpu {
namespace {

template <class T, class Shape, Order a_order, Order b_order, bool whole_chunks>
struct Int4Configuration
    : TileConfiguration<T, Shape, a_order, Order::depth_contiguous, whole_chunks, int4x8> {
  using Base = TileConfiguration<T, Shape, a_order, Order::depth_contiguous, whole_chunks, int4x8>;
  static constexpr int slabs_of_group = scale_group / Base::depth;
  static_assert(slabs_of_group * Base::depth == scale_group, "a group is whole slabs");

  // Where B lies, and how it is copied.
  static __device__ auto b_of(const TileGemm& p, int group) {
    const std::int64_t first = std::int64_t{group} * p.k * p.schedule.n;
    const auto* const data = static_cast<const std::uint8_t*>(p.b);
    const int n = p.schedule.n;
    if constexpr (whole_chunks)
      return SourceOf<typename Base::B>{reinterpret_cast<const int4x8*>(data + first / 2), p.k / 8,
                                        n, p.k / 8};
    else
      return ScatteredInt4<b_order>{data, first, b_order == Order::depth_contiguous ? p.k : n, n,
                                    p.k};
  }
  using CopyB = std::conditional_t<whole_chunks, TileCopy<typename Base::B, Base::threads, true>,
                                   RegisterTileCopy<typename Base::B, Base::threads, false>>;
};

template <class C>
__global__ void __launch_bounds__(C::threads, C::residents) multiply_int4(TileGemm p) {
  using T = typename C::T;
  const TilePlace place = place_tile(p.schedule, C::shape.rows, C::shape.columns);
  if (place.first_row >= place.last_row) return;
  const int n = p.schedule.n;
  const SlabRange range = slabs_of_block<C>(p);
  typename C::Sums sums, group_sums;
  const auto use = [&](int slab, int stage) __attribute__((always_inline)) {
    tile_mma(group_sums, C::a(stage), DecodedOperand<T, typename C::B>{C::b(stage)});
    if ((slab + 1) % C::slabs_of_group != 0 && slab + 1 != range.last) return;
    const float* const scales = p.group_scale + std::int64_t{slab / C::slabs_of_group} * n;
    sums.take_scaled(group_sums, sums.columns_by([&](int column) {
      return scales[min(place.first_column + column, n - 1)];
    }));
  };
  stream_slabs<C>(p, place, C::b_of(p, place.group), range, use);
  store_sums<C>(sums, p, place);
}

// Few rows waste little of a tile of 16.
constexpr int stages = std::min(4, most_stages);
using Large = Shape<128, 128, 128, 2, 4, stages>;
using FewRows = Shape<16, 128, 128, 1, 4, stages>;

template <class C>
constexpr TileVariant variant = tile_variant<C, multiply_int4<C>>;

}  // namespace

template <class T>
std::span<const TileVariant> int4_tile_variants(Layout layout) {
  using enum Order;
  static constexpr TileVariant nn[] = {
      variant<Int4Configuration<T, FewRows, depth_contiguous, rows_contiguous, false>>};
  static constexpr TileVariant nt[] = {
      variant<Int4Configuration<T, Large, depth_contiguous, depth_contiguous, true>>,
      variant<Int4Configuration<T, FewRows, depth_contiguous, depth_contiguous, true>>,
      variant<Int4Configuration<T, FewRows, depth_contiguous, depth_contiguous, false>>};
  static constexpr TileVariant tn[] = {
      variant<Int4Configuration<T, FewRows, rows_contiguous, rows_contiguous, false>>};
  switch (layout) {
    case Layout::nn:
      return nn;
    case Layout::nt:
      return nt;
    case Layout::tn:
      return tn;
  }
  return {};
}

template std::span<const TileVariant> int4_tile_variants<bf16>(Layout layout);
template std::span<const TileVariant> int4_tile_variants<f16>(Layout layout);

}  // namespace steelyard::gpu
