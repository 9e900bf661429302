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

Kind kind_of_memory(std::string_view name) {
  const auto has = [name](std::string_view part) { return name.find(part) != name.npos; };
  if (has("_atomic_")) return Kind::atomic;
  if (has("_load_")) return name.starts_with("s_") ? Kind::scalar_load : Kind::load;
  if (has("_store_")) return Kind::store;
  return Kind::other;
}

Kind kind_of_scalar(std::string_view name) {
  for (std::string_view start : {"s_branch", "s_cbranch", "s_call", "s_setpc", "s_swappc", "s_rfe"})
    if (name.starts_with(start)) return Kind::branch;
  return Kind::scalar;
}

Kind kind_of_program_control(std::string_view name) {
  if (name == "s_barrier") return Kind::barrier;
  if (name == "s_waitcnt") return Kind::wait;
  return kind_of_scalar(name) == Kind::branch ? Kind::branch : Kind::other;
}

}  // namespace

bool Opcode::has(char kind) const {
  for (std::size_t at = 0; at < operands.size(); ++at)
    if (operands[at] == kind && (at == 0 || operands[at - 1] == ' ')) return true;
  return false;
}

std::uint8_t Opcode::signed_sources() const {
  std::uint8_t sources = 0;
  for (std::size_t at = operands.find('-'); at != operands.npos; at = operands.find('-', at + 1)) {
    const std::size_t space = operands.rfind(' ', at);
    const char source = operands[space == operands.npos ? 0 : space + 1];
    sources |= static_cast<std::uint8_t>(1 << (source - 'a'));
  }
  return sources;
}

Kind kind_of(const Opcode& opcode) {
  const std::string_view name = opcode.name;
  switch (opcode.encoding) {
    case Encoding::sopp:
      return kind_of_program_control(name);
    case Encoding::sop2:
    case Encoding::sopk:
    case Encoding::sop1:
    case Encoding::sopc:
      return kind_of_scalar(name);
    case Encoding::vop2:
    case Encoding::vop1:
    case Encoding::vopc:
    case Encoding::vop3:
      return Kind::vector;
    case Encoding::vop3p:
      return name.starts_with("v_mfma") || name.starts_with("v_smfmac") ? Kind::matrix
                                                                        : Kind::vector;
    case Encoding::ds:
      return name.starts_with("ds_gws") ? Kind::other : Kind::lds;
    default:
      return kind_of_memory(name);
  }
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
