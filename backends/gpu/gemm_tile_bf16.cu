// SPDX-License-Identifier: Apache-2.0
// Tile kernels for GEMM of bf16.
#include "backends/gpu/gemm_tile_variants.h"

namespace steelyard::gpu {

template std::span<const TileVariant> tile_variants<bf16>(Layout layout);

}  // namespace steelyard::gpu
