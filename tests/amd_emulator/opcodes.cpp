// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/opcodes.h"

#include <array>
#include <cstddef>
#include <memory>

namespace amd_emulator {
namespace {

constexpr bool gfx90a[] = {true, false}, gfx942[] = {false, true}, both[] = {true, true};

#define OPCODE(encoding, number, targets, name, operands) \
  {Encoding::encoding, number, targets[0], targets[1], #name, operands},
constexpr Opcode opcodes[] = {
#include "tests/amd_emulator/opcodes.txt"
};
#undef OPCODE

constexpr std::size_t encodings = static_cast<std::size_t>(Encoding::none);
constexpr std::size_t numbers = 1024;

using Index = std::array<std::array<const Opcode*, numbers>, encodings>;

std::unique_ptr<Index> make_index(Target target) {
  auto index = std::make_unique<Index>();
  for (const Opcode& opcode : opcodes)
    if (target == Target::gfx90a ? opcode.on_gfx90a : opcode.on_gfx942)
      (*index)[static_cast<std::size_t>(opcode.encoding)][opcode.number] = &opcode;
  return index;
}

const Index& index_of(Target target) {
  static const std::unique_ptr<Index> of_gfx90a = make_index(Target::gfx90a);
  static const std::unique_ptr<Index> of_gfx942 = make_index(Target::gfx942);
  return target == Target::gfx90a ? *of_gfx90a : *of_gfx942;
}

}  // namespace

bool Opcode::has(char kind) const {
  for (std::size_t at = 0; at < operands.size(); ++at)
    if (operands[at] == kind && (at == 0 || operands[at - 1] == ' ')) return true;
  return false;
}

const Opcode* find_opcode(Target target, Encoding encoding, unsigned number) {
  if (encoding == Encoding::vop3 && number < vop3_first_own) {
    if (number >= vop3_first_vop1)
      return find_opcode(target, Encoding::vop1, number - vop3_first_vop1);
    if (number >= vop3_first_vop2)
      return find_opcode(target, Encoding::vop2, number - vop3_first_vop2);
    return find_opcode(target, Encoding::vopc, number);
  }
  if (encoding == Encoding::none || number >= numbers) return nullptr;
  return index_of(target)[static_cast<std::size_t>(encoding)][number];
}

}  // namespace amd_emulator
