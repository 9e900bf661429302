// SPDX-License-Identifier: Apache-2.0
// Which tile of C a block computes.
//
// Idea: blocks that run at the same time share operands, so they take tiles that lie together:
// bands of tile rows, each column by column. GPUs of several dies deal consecutive blocks out to
// their dies, which have L2 caches of their own: the numbers are dealt back, so that each die works
// on neighbours.
#pragma once

#include "backends/gpu/gemm_tile.h"

namespace steelyard::gpu {

inline constexpr int band_tiles = 8;  // tile rows of a band

struct TilePlace {
  int group;
  int first_row,
      last_row;  // [first_row, last_row) ends with the group; empty where there is no tile
  int first_column;
};

// The group that the tile row belongs to, and its rows: lanes count the tiles of a group each.
__device__ inline TilePlace find_group(const TileSchedule& s, int tile_row, int rows) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  int tiles_before = 0;
  for (int base = 0; base < s.groups; base += warp_size) {
    const int group = base + lane;
    const int first = group < s.groups ? s.offsets[group] : 0;
    const int last = group < s.groups ? s.offsets[group + 1] : 0;
    const int tiles = (last - first + rows - 1) / rows;
    int through = tiles;  // of the groups up to this lane's
    for (int step = 1; step < warp_size; step *= 2) {
      const int below = shuffle(through, lane >= step ? lane - step : lane);
      if (lane >= step) through += below;
    }
    const std::uint64_t behind = ballot(tiles_before + through > tile_row);
    if (behind != 0) {
      const int owner = __ffsll(static_cast<long long>(behind)) - 1;
      const int tile = tile_row - tiles_before - shuffle(through - tiles, owner);
      return {base + owner, shuffle(first, owner) + tile * rows, shuffle(last, owner), 0};
    }
    tiles_before += shuffle(through, warp_size - 1);
  }
  return {0, 0, 0, 0};
}

__device__ inline TilePlace place_tile(const TileSchedule& s, int rows, int columns) {
  const int down = static_cast<int>(tile_rows(s, rows)), across = (s.n + columns - 1) / columns;
  int block = static_cast<int>(blockIdx.x);
  const int of_a_die = down * across / s.dies;
  if (block < of_a_die * s.dies) block = block % s.dies * of_a_die + block / s.dies;

  const int band = block / (band_tiles * across), in_band = block % (band_tiles * across);
  const int height = min(band_tiles, down - band * band_tiles);
  const int tile_row = band * band_tiles + in_band % height;
  TilePlace place = {0, tile_row * rows, s.m, 0};
  if (s.groups > 1) place = find_group(s, tile_row, rows);
  return {uniform(place.group), uniform(place.first_row), uniform(place.last_row),
          uniform(in_band / height * columns)};
}

}  // namespace steelyard::gpu
