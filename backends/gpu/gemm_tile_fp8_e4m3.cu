// SPDX-License-Identifier: Apache-2.0
// Tile kernels for GEMM of fp8 e4m3.
#include "backends/gpu/gemm_tile_variants.h"

namespace steelyard::gpu {

template std::span<const TileVariant> tile_variants<fp8_e4m3>(Layout layout);

}  // namespace steelyard::gpu
