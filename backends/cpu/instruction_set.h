// SPDX-License-Identifier: Apache-2.0
// The levels that kernels are compiled for; the best one this CPU has is chosen at run time.
#pragma once

#include <string_view>

namespace steelyard::cpu {

// v3: AVX2, FMA, F16C. v4: AVX-512 F, BW, CD, DQ, VL. v4_dot: v4 with BF16 and VNNI dot products.
enum class InstructionSet { baseline, v3, v4, v4_dot };

std::string_view name(InstructionSet set);
bool can_run(InstructionSet set);
InstructionSet best_instruction_set();

// Of one function that was compiled for every level, the one for `set`.
template <class F>
F* compiled_for(InstructionSet set, F& baseline, F& v3, F& v4, F& v4_dot) {
  F* const by_level[] = {baseline, v3, v4, v4_dot};
  return by_level[static_cast<int>(set)];
}

}  // namespace steelyard::cpu
