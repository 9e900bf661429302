// SPDX-License-Identifier: Apache-2.0
// Tile kernels for GEMM of fp8 e5m2.
#include "backends/gpu/gemm_tile_variants.h"

namespace steelyard::gpu {

template std::span<const TileVariant> tile_variants<fp8_e5m2>(Layout layout);

}  // namespace steelyard::gpu
