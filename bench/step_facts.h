// SPDX-License-Identifier: Apache-2.0
// What is asked of a step beside its time: how far it is from what the device can do, what it takes
// of its memory, and how long each of its operations takes alone.
#pragma once

#include "backends/backend.h"
#include "reports/record.h"

namespace steelyard {

// Adds Record::step, less rates and the whole model, and Record::parts where the run is a Sequence. Changes
// the values of its tensors as launches do. Times of parts are medians of so many rounds.
void describe_step(Record& record, Device& device, const Problem& problem, Run& run, int rounds);

// Of reading memory beyond the last-level cache, anew beside decoding, and of a large matrix product; else
// once per process, device and type; each with its fastest kernel. Takes memory that the step's own Run need
// not hold any more.
void add_rates(StepFacts& facts, Device& device, const Transformer& transformer);

}  // namespace steelyard
