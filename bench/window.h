// SPDX-License-Identifier: Apache-2.0
// What one sample is: so many launches on so many operand sets.
#pragma once

#include "backends/backend.h"

namespace steelyard {

// Launches of one sample, fixed by the problem and the kind of device alone so that all CPUs agree
// and all GPUs. By the time that the fastest known GPU needs, or a nominal CPU: a GPU's sample is
// one launch from 200 us on; every other is a window of at least 1 ms. METHOD.md has the speeds.
int launches_per_sample(const Problem& problem, const DeviceInfo& info);

// Whether a window of launches is captured once and replayed as one graph.
bool is_graph(const Problem& problem);

// Whether all launches of a window can be enqueued before the first one runs: not where the host's
// part in launching is what is measured, nor where enqueuing waits, as copies of pageable memory do.
bool can_be_enqueued_ahead(const Problem& problem);

// Operand sets to rotate through: three times the last-level cache in all, but no more than 4096, of steps
// of models 256.
int copies_for_rotation(const Problem& problem, std::int64_t last_level_cache_bytes);

}  // namespace steelyard
