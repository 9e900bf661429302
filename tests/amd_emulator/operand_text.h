// SPDX-License-Identifier: Apache-2.0
// Registers, constants and immediates in LLVM's spelling.
#pragma once

#include <cstdint>
#include <string>

#include "tests/amd_emulator/instruction.h"

namespace amd_emulator {

// `width` registers from number `first` on: v3, a[0:15], s[2:3], vcc, ttmp4.
std::string vector_registers(unsigned first, unsigned width);
std::string scalar_registers(unsigned first, unsigned width);

// A source operand without modifiers. How constants are printed is the last letter of its description in
// opcodes.h, 0 where it has none.
std::string source_text(const Instruction& it, unsigned code, unsigned width, char style);
bool is_constant(unsigned code);

// A number as LLVM prints a 32-bit constant: in decimal or as a float where it could be inline.
std::string constant32(std::uint32_t value);

std::string hardware_register(Target target, unsigned immediate);
std::string message(unsigned immediate);
std::string awaited_counters(unsigned immediate);
std::string index_mode(unsigned immediate);
std::string swizzle(unsigned offset);

}  // namespace amd_emulator
