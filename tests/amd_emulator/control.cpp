// SPDX-License-Identifier: Apache-2.0
// What decides what a wave does next: exec, branches, barriers; and scalar loads.
#include <fmt/format.h>

#include <cstring>

#include "tests/amd_emulator/code_object.h"
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/launch.h"
#include "tests/amd_emulator/memory.h"
#include "tests/amd_emulator/numbers.h"
#include "tests/amd_emulator/operands.h"

namespace amd_emulator {
namespace {

// exec becomes f(source, exec); the destination gets the old one.
template <auto f>
void save_exec(Wave& wave, const Instruction& it) {
  const u64 before = wave.exec, mask = f(scalar64(wave, it, it.source[0]), before);
  write_scalar64(wave, it.destination, before);
  wave.set_exec(mask);
  wave.scc = mask != 0;
}
// The destination gets the new one too.
template <auto f>
void write_exec(Wave& wave, const Instruction& it) {
  const u64 mask = f(scalar64(wave, it, it.source[0]), wave.exec);
  write_scalar64(wave, it.destination, mask);
  wave.set_exec(mask);
  wave.scc = mask != 0;
}

constexpr auto bit_and = [](u64 a, u64 exec) { return a & exec; };
constexpr auto bit_or = [](u64 a, u64 exec) { return a | exec; };
constexpr auto bit_xor = [](u64 a, u64 exec) { return a ^ exec; };
constexpr auto bit_nand = [](u64 a, u64 exec) { return ~(a & exec); };
constexpr auto bit_nor = [](u64 a, u64 exec) { return ~(a | exec); };
constexpr auto bit_xnor = [](u64 a, u64 exec) { return ~(a ^ exec); };
constexpr auto and_not = [](u64 a, u64 exec) { return a & ~exec; };
constexpr auto or_not = [](u64 a, u64 exec) { return a | ~exec; };
constexpr auto not_and = [](u64 a, u64 exec) { return ~a & exec; };
constexpr auto not_or = [](u64 a, u64 exec) { return ~a | exec; };

// simm16 counts words from the next instruction on.
template <auto condition>
void branch(Wave& wave, const Instruction& it) {
  if (condition(wave)) wave.pc += static_cast<u64>(4 * static_cast<i64>(it.immediate));
}
bool vcc_is_zero(const Wave& wave) {
  return (wave.s[vcc_lo] | wave.s[vcc_lo + 1]) == 0;
}
constexpr auto always = [](const Wave&) { return true; };
constexpr auto scc_clear = [](const Wave& wave) { return wave.scc == 0; };
constexpr auto scc_set = [](const Wave& wave) { return wave.scc != 0; };
constexpr auto vcc_zero = [](const Wave& wave) { return vcc_is_zero(wave); };
constexpr auto vcc_nonzero = [](const Wave& wave) { return !vcc_is_zero(wave); };
constexpr auto exec_zero = [](const Wave& wave) { return wave.exec == 0; };
constexpr auto exec_nonzero = [](const Wave& wave) { return wave.exec != 0; };

const CodeObject& code_of(const Wave& wave) {
  return *wave.group->launch->kernel->code;
}
void read_pc(Wave& wave, const Instruction& it) {
  write_scalar64(wave, it.destination, code_of(wave).device_address(wave.pc));
}
void set_pc(Wave& wave, const Instruction& it) {
  wave.pc = scalar64(wave, it, it.source[0]) - code_of(wave).device_address(0);
}
void swap_pc(Wave& wave, const Instruction& it) {
  const u64 back = code_of(wave).device_address(wave.pc);
  set_pc(wave, it);
  write_scalar64(wave, it.destination, back);
}
void call(Wave& wave, const Instruction& it) {
  read_pc(wave, it);
  branch<always>(wave, it);
}

// Time passes with the instructions of the workgroups that this thread runs.
void read_time(Wave& wave, const Instruction& it) {
  u64 time = 0;
  for (const u64 count : wave.group->counts->instructions) time += count;
  write_scalar64(wave, it.destination, time);
}

void end_program(Wave& wave, const Instruction&) {
  wave.stop = Stop::end;
}
void wait_at_barrier(Wave& wave, const Instruction&) {
  wave.stop = Stop::barrier;
}
void trap(Wave&, const Instruction& it) {
  throw Fault(fmt::format("the kernel ends itself: s_trap {}", it.immediate));
}

// Kernels run in the mode that they are started with: round to nearest even, denormals kept. Setting a
// mode that is not this one would need all arithmetic to know it. Clamp makes 0 of NaN, and signalling NaN
// are quieted.
constexpr u32 mode_register = 1, kept_mode = 0x3f0;

u32 field_of(const Instruction& it, u32 value) {
  const u32 selector = static_cast<u32>(it.immediate), offset = selector >> 6 & 31;
  const u32 width = (selector >> 11 & 31) + 1;
  return static_cast<u32>(value >> offset & ((u64{1} << width) - 1));
}
void set_register(const Instruction& it, u32 value) {
  const u32 number = static_cast<u32>(it.immediate) & 63;
  const u32 width = (static_cast<u32>(it.immediate) >> 11 & 31) + 1;
  const u32 written = static_cast<u32>(value & ((u64{1} << width) - 1));
  if (number != mode_register || written != field_of(it, kept_mode))
    throw Fault(
        fmt::format("hardware register {} is set to {:#x}, which is not emulated", number, value));
}
void write_register_immediate(Wave&, const Instruction& it) {
  set_register(it, it.literal);
}
void write_register(Wave& wave, const Instruction& it) {
  set_register(it, wave.s[it.destination]);
}
void read_register(Wave& wave, const Instruction& it) {
  const u32 number = static_cast<u32>(it.immediate) & 63;
  if (number != mode_register)
    throw Fault(fmt::format("hardware register {} is read, which is not emulated", number));
  write_scalar32(wave, it.destination, field_of(it, kept_mode));
}

u32 scalar_offset(const Wave& wave, const Instruction& it) {
  const bool in_register = it.scalar_offset_enable != 0 || it.immediate_enable == 0;
  return in_register ? wave.s[it.source[0]] : 0;
}
u64 immediate_offset(const Instruction& it) {
  return it.immediate_enable != 0 ? static_cast<u64>(static_cast<i64>(it.immediate)) : 0;
}

template <int words>
void load(Wave& wave, const Instruction& it) {
  const u64 base = pair(wave.s[it.scalar_address], wave.s[it.scalar_address + 1]);
  const u64 address = (base + scalar_offset(wave, it) + immediate_offset(it)) & ~u64{3};
  std::memcpy(&wave.s[it.destination], reach(address, 4 * words, 4, Access::read), 4 * words);
}
// Words beyond the buffer's end are zeros.
template <int words>
void load_from_buffer(Wave& wave, const Instruction& it) {
  const u32* descriptor = &wave.s[it.scalar_address];
  const u64 base = pair(descriptor[0], descriptor[1] & 0xffff);
  if ((descriptor[1] >> 16 & 0x3fff) != 0) throw Fault("a structured buffer is not emulated");
  const u64 offset = (scalar_offset(wave, it) + immediate_offset(it)) & ~u64{3};
  u32 values[words] = {};
  for (u64 i = 0; i < words; ++i)
    if (offset + 4 * i + 4 <= descriptor[2])
      std::memcpy(&values[i], reach(base + offset + 4 * i, 4, 4, Access::read), 4);
  std::memcpy(&wave.s[it.destination], values, sizeof(values));
}

constexpr NamedHandler table[] = {
    {"s_and_saveexec_b64", save_exec<bit_and>},
    {"s_or_saveexec_b64", save_exec<bit_or>},
    {"s_xor_saveexec_b64", save_exec<bit_xor>},
    {"s_andn2_saveexec_b64", save_exec<and_not>},
    {"s_orn2_saveexec_b64", save_exec<or_not>},
    {"s_nand_saveexec_b64", save_exec<bit_nand>},
    {"s_nor_saveexec_b64", save_exec<bit_nor>},
    {"s_xnor_saveexec_b64", save_exec<bit_xnor>},
    {"s_andn1_saveexec_b64", save_exec<not_and>},
    {"s_orn1_saveexec_b64", save_exec<not_or>},
    {"s_andn1_wrexec_b64", write_exec<not_and>},
    {"s_andn2_wrexec_b64", write_exec<and_not>},
    {"s_branch", branch<always>},
    {"s_cbranch_scc0", branch<scc_clear>},
    {"s_cbranch_scc1", branch<scc_set>},
    {"s_cbranch_vccz", branch<vcc_zero>},
    {"s_cbranch_vccnz", branch<vcc_nonzero>},
    {"s_cbranch_execz", branch<exec_zero>},
    {"s_cbranch_execnz", branch<exec_nonzero>},
    {"s_getpc_b64", read_pc},
    {"s_setpc_b64", set_pc},
    {"s_swappc_b64", swap_pc},
    {"s_call_b64", call},
    {"s_endpgm", end_program},
    {"s_barrier", wait_at_barrier},
    {"s_trap", trap},
    {"s_getreg_b32", read_register},
    {"s_setreg_b32", write_register},
    {"s_setreg_imm32_b32", write_register_immediate},
    // Everything happens in order, so that there is nothing to wait for or to write back.
    {"s_nop", nothing},
    {"s_waitcnt", nothing},
    {"s_sleep", nothing},
    {"s_setprio", nothing},
    {"s_wakeup", nothing},
    {"s_incperflevel", nothing},
    {"s_decperflevel", nothing},
    {"s_ttracedata", nothing},
    {"s_icache_inv", nothing},
    {"s_dcache_inv", nothing},
    {"s_dcache_wb", nothing},
    {"s_dcache_inv_vol", nothing},
    {"s_dcache_wb_vol", nothing},
    {"s_memtime", read_time},
    {"s_memrealtime", read_time},
    {"buffer_inv", nothing},
    {"buffer_wbl2", nothing},
    {"buffer_invl2", nothing},
    {"buffer_wbinvl1", nothing},
    {"buffer_wbinvl1_vol", nothing},
    {"s_load_dword", load<1>},
    {"s_load_dwordx2", load<2>},
    {"s_load_dwordx4", load<4>},
    {"s_load_dwordx8", load<8>},
    {"s_load_dwordx16", load<16>},
    {"s_buffer_load_dword", load_from_buffer<1>},
    {"s_buffer_load_dwordx2", load_from_buffer<2>},
    {"s_buffer_load_dwordx4", load_from_buffer<4>},
    {"s_buffer_load_dwordx8", load_from_buffer<8>},
    {"s_buffer_load_dwordx16", load_from_buffer<16>},
};

}  // namespace

std::span<const NamedHandler> control_handlers() {
  return table;
}

}  // namespace amd_emulator
