// SPDX-License-Identifier: Apache-2.0
// How much of a model a device has room for.
#pragma once

#include <cstdint>
#include <optional>

#include "backends/backend.h"
#include "reports/record.h"

namespace steelyard {

// The largest batch of a step whose tensors take no more than so many bytes; 0 where not even one does.
int largest_batch(const Transformer& transformer, std::int64_t bytes);

// Of the whole model, with no Run on the device. Training holds all tensors of all blocks; decoding all
// weights and the cache, and what else a step of one block takes. Other phases have none: their blocks
// come one after the other. Where the device can tell, the batch is found by allocating the tensors in
// what is free; else they are counted against all of its memory. Found once per process and step.
std::optional<Capacity> capacity_of(Device& device, const Transformer& transformer);

}  // namespace steelyard
