// SPDX-License-Identifier: Apache-2.0
// How much of a model a device has room for.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backends/backend.h"
#include "reports/record.h"

namespace steelyard {

// The largest batch of a step whose tensors take no more than so many bytes; 0 where not even one does.
int largest_batch(const Transformer& transformer, std::int64_t bytes);

// Whether all blocks of a model are in memory at once.
constexpr bool holds_whole_model(Phase phase) {
  return trains(phase) || phase == Phase::decode;
}

// A batch that stands for several: see batches_that_fit().
inline constexpr std::int64_t open_batch = 0;
bool has_open_batch(const Problem& problem);

// The same with a batch of one where it is open.
Problem with_closed_batch(const Problem& problem);

// A step with an open batch once for each batch of a sweep on such a device: doublings from 1 on, the largest
// that all of its memory has room for with the whole model, and the first doubling beyond it; 1 alone on
// emulated devices. The largest is counted, and cut to five binary digits: the same in every process. Any
// other problem as it is.
std::vector<Problem> batches_that_fit(const Problem& problem, const DeviceInfo& device);

// Of the whole model, with no Run on the device. Training holds all tensors of all blocks; decoding all
// weights and the cache, and what else a step of one block takes. Other phases have none: their blocks
// come one after the other. Where the device can tell, the batch is found by allocating the tensors in
// what is free; else they are counted against all of its memory. The largest model is that of models.toml
// with the most weights of which one sequence fits. Found once per process and step.
std::optional<Capacity> capacity_of(Device& device, const Transformer& transformer);

}  // namespace steelyard
