// SPDX-License-Identifier: Apache-2.0
// The CPU's own GEMMs, for a named instruction set: the kernel table takes the best, tests take
// all.
#pragma once

#include <memory>
#include <vector>

#include "backends/cpu/gemm_tile.h"
#include "backends/cpu/instruction_set.h"
#include "backends/cpu/run.h"

namespace steelyard::cpu {

std::unique_ptr<Run> prepare_packed_gemm(InstructionSet set, CpuDevice& device, const Gemm& problem,
                                         const Inputs& inputs);
std::unique_ptr<Run> prepare_streamed_gemm(InstructionSet set, CpuDevice& device,
                                           const Gemm& problem, const Inputs& inputs);

// A product of fewer multiplications takes no longer than waking a team.
inline constexpr std::int64_t worth_dividing = 1 << 16;

GemmOperands gemm_operands(const Gemm& problem, const Arguments& arguments);

// The rows of C that take one B, none of them empty.
struct Group {
  std::int64_t number, first_row, rows;
};
std::vector<Group> gemm_groups(const Gemm& problem, const Arguments& arguments);

}  // namespace steelyard::cpu
