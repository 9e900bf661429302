// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/instruction_set.h"

namespace steelyard::cpu {

std::string_view name(InstructionSet set) {
  switch (set) {
    case InstructionSet::baseline:
      return "x86-64";
    case InstructionSet::v3:
      return "x86-64-v3";
    case InstructionSet::v4:
      return "x86-64-v4";
    case InstructionSet::v4_dot:
      return "x86-64-v4+bf16+vnni";
  }
  return {};
}

bool can_run(InstructionSet set) {
  switch (set) {
    case InstructionSet::baseline:
      return true;
    case InstructionSet::v3:
      return __builtin_cpu_supports("x86-64-v3");
    case InstructionSet::v4:
      return __builtin_cpu_supports("x86-64-v4");
    case InstructionSet::v4_dot:
      return can_run(InstructionSet::v4) && __builtin_cpu_supports("avx512bf16") &&
             __builtin_cpu_supports("avx512vnni");
  }
  return false;
}

InstructionSet best_instruction_set() {
  using enum InstructionSet;
  for (const InstructionSet set : {v4_dot, v4, v3})
    if (can_run(set)) return set;
  return baseline;
}

}  // namespace steelyard::cpu
