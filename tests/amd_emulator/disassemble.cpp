// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/amd_emulator/instruction.h"
#include "tests/amd_emulator/modifier_text.h"
#include "tests/amd_emulator/opcodes.h"
#include "tests/amd_emulator/operand_text.h"

namespace amd_emulator {
namespace {

// An operand as opcodes.txt describes it.
struct Operand {
  char kind;
  unsigned width = 0;
  bool has_sign = false;
  char style = 0;
};

bool is_modifier(char kind) {
  return kind == 'O' || kind == 'N' || kind == 'C' || kind == 'M';
}

std::vector<Operand> split(std::string_view description) {
  std::vector<Operand> operands;
  while (!description.empty()) {
    const std::string_view one = description.substr(0, description.find(' '));
    description.remove_prefix(one.size() == description.size() ? one.size() : one.size() + 1);
    Operand operand{.kind = one[0]};
    for (char character : one.substr(1)) {
      if (character >= '0' && character <= '9')
        operand.width = 10 * operand.width + static_cast<unsigned>(character - '0');
      else if (character == '-')
        operand.has_sign = true;
      else
        operand.style = character;
    }
    if (!is_modifier(operand.kind)) operands.push_back(operand);
  }
  return operands;
}

bool is_32_bit_vector(Encoding encoding) {
  return encoding == Encoding::vop1 || encoding == Encoding::vop2 || encoding == Encoding::vopc;
}

std::string suffix(const Instruction& it, const Opcode& opcode) {
  if (it.extension == Extension::sdwa) return "_sdwa";
  if (it.extension == Extension::dpp) return "_dpp";
  // Mnemonics that have one encoding only have no suffix.
  const std::string_view name = it.name;
  if (opcode.has('k') || opcode.has('s') || opcode.operands.empty() || name == "v_swap_b32" ||
      name == "v_accvgpr_mov_b32")
    return "";
  if (is_32_bit_vector(it.encoding)) return "_e32";
  return is_32_bit_vector(opcode.encoding) ? "_e64" : "";
}

std::string modified_source(const Instruction& it, int index, const Operand& operand) {
  std::string text = source_text(it, it.source[index], operand.width, operand.style);
  if (!operand.has_sign) {
    const bool is_extended =
        it.extension == Extension::sdwa && it.extension_word >> (index == 0 ? 19 : 27) & 1;
    return is_extended && index < 2 ? "sext(" + text + ")" : text;
  }
  const bool negate = it.negate >> index & 1, absolute = it.absolute >> index & 1;
  if (absolute) text = "|" + text + "|";
  if (!negate) return text;
  return is_constant(it.source[index]) && !absolute ? "neg(" + text + ")" : "-" + text;
}

unsigned address_width(const Instruction& it) {
  if (it.encoding == Encoding::global) return it.scalar_address == no_scalar_address ? 2 : 1;
  return it.offset_enable && it.index_enable ? 2 : 1;
}

bool has_vector_address(const Instruction& it) {
  if (it.encoding == Encoding::mubuf) return it.offset_enable || it.index_enable;
  return it.encoding != Encoding::scratch || it.scratch_vector_address != 0;
}

std::string address_text(const Instruction& it) {
  if (!has_vector_address(it)) return "off";
  return vector_registers(it.address_register, address_width(it));
}

// What of an address comes behind the data, with a comma in front.
std::string scalar_address_text(const Instruction& it) {
  if (it.encoding == Encoding::mubuf)
    return ", " + scalar_registers(it.scalar_address, 4) + ", " +
           source_text(it, it.source[0], 1, 0);
  if (it.scalar_address == no_scalar_address) return ", off";
  return ", " + scalar_registers(it.scalar_address, it.encoding == Encoding::global ? 2 : 1);
}

std::string hexadecimal(std::int32_t value) {
  return value < 0 ? fmt::format("-{:#x}", -static_cast<std::int64_t>(value))
                   : fmt::format("{:#x}", value);
}

std::string scalar_offset(const Instruction& it) {
  if (!it.scalar_offset_enable) return hexadecimal(it.immediate);
  std::string text = scalar_registers(it.source[0], 1);
  if (it.immediate_enable) text += " offset:" + hexadecimal(it.immediate);
  return text;
}

std::string immediate_text(const Instruction& it) {
  const unsigned value = static_cast<std::uint16_t>(it.immediate);
  return it.encoding == Encoding::sopk ? fmt::format("{:#x}", value) : constant32(value);
}

std::string decimal_text(const Instruction& it) {
  if (it.encoding == Encoding::smem) return constant32(it.destination);
  return std::to_string(static_cast<std::uint16_t>(it.immediate));
}

std::string operand_text(Target target, const Instruction& it, const Operand& operand) {
  const unsigned immediate = static_cast<std::uint16_t>(it.immediate);
  switch (operand.kind) {
    case 'a':
    case 'b':
    case 'c':
      return modified_source(it, operand.kind - 'a', operand);
    case 'd':
      return vector_registers(it.destination, operand.width);
    case 'e':
    case 'f':
      return vector_registers(it.data[operand.kind - 'e'], operand.width);
    case 'g':
      return index_mode(immediate);
    case 'h':
      return hardware_register(target, immediate);
    case 'i':
      return immediate_text(it);
    case 'k':
      return it.encoding == Encoding::vop2 ? fmt::format("{:#x}", it.literal)
                                           : constant32(it.literal);
    case 'm':
      return message(immediate);
    case 'n':
      return decimal_text(it);
    case 'o':
      return scalar_offset(it);
    case 'p':
      return vector_registers(it.address_register, operand.width);
    case 'P':
      return address_text(it);
    case 'q':
      return scalar_registers(it.scalar_address, operand.width);
    case 's':
      return scalar_registers(it.destination, operand.width);
    case 'w':
      return awaited_counters(immediate);
    case 'x':
      return scalar_registers(it.scalar_destination, operand.width);
    default:
      return "?";
  }
}

bool is_flat(Encoding encoding) {
  return encoding == Encoding::flat || encoding == Encoding::global ||
         encoding == Encoding::scratch;
}

// What an atomic operation returns where glc asks for it: as wide as its data, and of a comparison half
// of that, since the data are what to compare with and what to write.
std::vector<Operand> with_returned(const Instruction& it, std::vector<Operand> operands) {
  if (it.kind != Kind::atomic || !it.glc || !is_flat(it.encoding)) return operands;
  const bool compares = std::string_view(it.name).find("cmpswap") != std::string_view::npos;
  const unsigned width = operands.back().width / (compares ? 2 : 1);
  operands.insert(operands.begin(), {.kind = 'd', .width = width});
  return operands;
}

std::string offsets_of_local(const Instruction& it) {
  const std::string_view name = it.name;
  const unsigned first = it.immediate & 255, second = it.immediate >> 8 & 255;
  std::string text;
  if (name == "ds_swizzle_b32") {
    if (it.immediate != 0) text = " offset:" + swizzle(static_cast<unsigned>(it.immediate));
  } else if (name.find("read2") != name.npos || name.find("write2") != name.npos ||
             name.find("wrxchg2") != name.npos) {
    if (first != 0) text += fmt::format(" offset0:{}", first);
    if (second != 0) text += fmt::format(" offset1:{}", second);
  } else if (it.immediate != 0) {
    text = fmt::format(" offset:{}", it.immediate);
  }
  if (name.starts_with("ds_gws")) text += " gds";
  return text;
}

std::string modifiers(Target target, const Instruction& it, const Opcode& opcode) {
  switch (it.encoding) {
    case Encoding::ds:
      return offsets_of_local(it);
    case Encoding::smem:
    case Encoding::flat:
    case Encoding::scratch:
    case Encoding::global:
    case Encoding::mubuf:
      return memory_modifiers(target, it);
    default:
      return vector_modifiers(target, it, opcode);
  }
}

}  // namespace

std::string disassemble(Target target, const Instruction& it) {
  if (!it.name) return "no instruction";
  const Opcode& opcode = *find_opcode(target, it.encoding, it.opcode);
  std::string text = it.name + suffix(it, opcode);
  std::vector<Operand> operands = with_returned(it, split(opcode.operands));
  const bool has_address = opcode.has('P');
  // What is loaded into LDS has no register.
  if (it.lds)
    std::erase_if(operands, [](const Operand& operand) {
      return operand.kind == 'd' || operand.kind == 'e';
    });
  if (opcode.name == std::string_view("s_endpgm") && it.immediate == 0) operands.clear();
  std::string_view separator = " ";
  for (const Operand& operand : operands) {
    text += separator;
    text += operand_text(target, it, operand);
    separator = ", ";
  }
  if (has_address) text += scalar_address_text(it);
  return text + modifiers(target, it, opcode);
}

}  // namespace amd_emulator
