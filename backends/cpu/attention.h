// SPDX-License-Identifier: Apache-2.0
// The CPU's own attention for a named instruction set: the kernel table takes the best, tests take
// all.
#pragma once

#include <memory>

#include "backends/cpu/attention_tile.h"
#include "backends/cpu/instruction_set.h"
#include "backends/cpu/run.h"

namespace steelyard::cpu {

std::unique_ptr<Run> prepare_online_softmax(InstructionSet set, CpuDevice& device,
                                            const Attention& problem, const Inputs& inputs);

std::unique_ptr<Run> prepare_attention_gradients(InstructionSet set, CpuDevice& device,
                                                 const Attention& problem, const Inputs& inputs);

// What the kernels of both passes cannot do.
Support attention_limits(const Attention& problem);

AttentionOperands attention_operands(const Attention& problem, const Arguments& arguments);

// The forward pass as a function over the operands of either pass.
Body online_softmax(InstructionSet set, const CpuDevice& device, const Attention& problem);

}  // namespace steelyard::cpu
