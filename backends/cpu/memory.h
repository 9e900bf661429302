// SPDX-License-Identifier: Apache-2.0
// Streams for a named instruction set and kind of store: the kernel table takes what suits the
// machine and the size, tests take all.
#pragma once

#include <memory>

#include "backends/cpu/instruction_set.h"
#include "backends/cpu/memory_stream.h"
#include "backends/cpu/run.h"

namespace steelyard::cpu {

std::unique_ptr<Run> prepare_stream(InstructionSet set, Store store, const Memory& problem,
                                    const Inputs& inputs);

}  // namespace steelyard::cpu
