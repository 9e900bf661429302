// SPDX-License-Identifier: Apache-2.0
// Registers whose numbers are computed: an index in m0 is added to what the instruction names.
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/lanewise.h"

namespace amd_emulator {
namespace {

constexpr u32 scalar_registers = 102, vector_registers = 256;

unsigned moved(unsigned number, u32 by, u32 width, u32 count) {
  if (number + u64{by} + width > count)
    throw Fault("register " + std::to_string(number + u64{by}) + " by an index does not exist");
  return number + by;
}

template <int words>
void move_from(Wave& wave, const Instruction& it) {
  const u32* from = &wave.s[moved(it.source[0], wave.s[m0], words, scalar_registers)];
  if constexpr (words == 2)
    write_scalar64(wave, it.destination, pair(from[0], from[1]));
  else
    write_scalar32(wave, it.destination, from[0]);
}
template <int words>
void move_to(Wave& wave, const Instruction& it) {
  const unsigned to = moved(it.destination, wave.s[m0], words, scalar_registers);
  if constexpr (words == 2)
    write_scalar64(wave, to, scalar64(wave, it, it.source[0]));
  else
    write_scalar32(wave, to, scalar32(wave, it, it.source[0]));
}

// m0 has the index in its low byte, and from bit 12 on which operands of vector instructions it moves:
// sources 0 to 2 and the destination.
constexpr u32 index_bits = 0xff, moves_source = 1 << 12, moves_destination = 1 << 15;

void set_index(Wave& wave, const Instruction& it) {
  wave.s[m0] = (wave.s[m0] & ~index_bits) | (scalar32(wave, it, it.source[0]) & index_bits);
}
void set_moved_operands(Wave& wave, const Instruction& it) {
  wave.s[m0] = (wave.s[m0] & ~0xf000u) | (static_cast<u32>(it.immediate) & 15) << 12;
}
void begin_indexing(Wave& wave, const Instruction& it) {
  set_index(wave, it);
  set_moved_operands(wave, it);
  wave.indexing = true;
}
void end_indexing(Wave& wave, const Instruction&) {
  wave.indexing = false;
}

// Compilers index with this instruction only.
void move(Wave& wave, const Instruction& it) {
  constexpr auto same = [](u32 a) { return a; };
  if (!wave.indexing) return lanewise<same, u32, u32>(wave, it);
  Instruction indexed = it;
  const u32 mode = wave.s[m0], by = mode & index_bits;
  if ((mode & moves_source) != 0 && is_vector(it.source[0]))
    indexed.source[0] = static_cast<u16>(
        first_vector_code + moved(it.source[0] - first_vector_code, by, 1, vector_registers));
  if ((mode & moves_destination) != 0)
    indexed.destination = static_cast<u16>(moved(it.destination, by, 1, vector_registers));
  lanewise<same, u32, u32>(wave, indexed);
}

constexpr NamedHandler table[] = {
    {"s_movrels_b32", move_from<1>},
    {"s_movrels_b64", move_from<2>},
    {"s_movreld_b32", move_to<1>},
    {"s_movreld_b64", move_to<2>},
    {"s_set_gpr_idx_on", begin_indexing},
    {"s_set_gpr_idx_off", end_indexing},
    {"s_set_gpr_idx_idx", set_index},
    {"s_set_gpr_idx_mode", set_moved_operands},
    {"v_mov_b32", move},
};

}  // namespace

std::span<const NamedHandler> indexed_handlers() {
  return table;
}

}  // namespace amd_emulator
