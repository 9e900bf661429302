// SPDX-License-Identifier: Apache-2.0
// The CPU's own attention for a named instruction set: the kernel table takes the best, tests take
// all.
#pragma once

#include <memory>

#include "backends/cpu/instruction_set.h"
#include "backends/cpu/run.h"

namespace steelyard::cpu {

std::unique_ptr<Run> prepare_online_softmax(InstructionSet set, CpuDevice& device,
                                            const Attention& problem, const Inputs& inputs);

}  // namespace steelyard::cpu
