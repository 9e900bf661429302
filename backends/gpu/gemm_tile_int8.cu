// SPDX-License-Identifier: Apache-2.0
// Tile kernels for GEMM of int8.
#include "backends/gpu/gemm_tile_variants.h"

namespace steelyard::gpu {

template std::span<const TileVariant> tile_variants<std::int8_t>(Layout layout);

}  // namespace steelyard::gpu
