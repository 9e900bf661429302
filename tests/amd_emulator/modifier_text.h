// SPDX-License-Identifier: Apache-2.0
// What follows the operands of an instruction, in LLVM's spelling; each with a space before it.
#pragma once

#include <string>

#include "tests/amd_emulator/opcodes.h"

namespace amd_emulator {

std::string vector_modifiers(Target target, const Instruction& it, const Opcode& opcode);
std::string memory_modifiers(Target target, const Instruction& it);

}  // namespace amd_emulator
