// SPDX-License-Identifier: Apache-2.0
// What follows the operands of an instruction, in LLVM's spelling; each with a space before it.
#pragma once

#include <string>

#include "tests/amd_emulator/opcodes.h"

namespace amd_emulator {

std::string vector_modifiers(Target target, const Instruction& it, const Opcode& opcode);
std::string memory_modifiers(Target target, const Instruction& it);

// Whether SDWA extends the sign of a source of this mnemonic instead of negating it.
bool has_integer_sources(const char* name);

}  // namespace amd_emulator
