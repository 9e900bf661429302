// SPDX-License-Identifier: Apache-2.0
// The ways in which a GPU may stream through memory; the best on a device is found by trying.
#pragma once

#include <string>
#include <vector>

#include "backends/gpu/device.h"

namespace steelyard::gpu {

struct StreamVariant {
  int unroll = 4;           // 16-byte loads that a thread has in flight
  int blocks_per_unit = 0;  // of a persistent grid, per multiprocessor; 0: one block per piece
  bool streaming = true;    // past the caches

  std::string name() const;  // "unroll 4, one block per piece, streaming"
};

// All that are tried.
std::vector<StreamVariant> stream_variants();

// A Run of one variant.
std::unique_ptr<Run> prepare_stream(const StreamVariant& variant, GpuDevice& device,
                                    const Memory& p, const Inputs& inputs);

}  // namespace steelyard::gpu
