// SPDX-License-Identifier: Apache-2.0
// Loads and stores of global, generic, private and buffer memory.
#include <cstring>
#include <string>
#include <vector>

#include "tests/amd_emulator/address_space.h"
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/local_banks.h"
#include "tests/amd_emulator/local_memory.h"

namespace amd_emulator {
namespace {

// What becomes of an element that is smaller than a register: extended to it, or one half of it.
enum class Fill : u8 { zeros, sign, low_half, high_half, sign_low_half, sign_high_half };
constexpr bool extends_sign(Fill fill) {
  return fill == Fill::sign || fill == Fill::sign_low_half || fill == Fill::sign_high_half;
}

template <unsigned bytes, Fill fill>
u32 fill_register(u32 value, u32 old) {
  if constexpr (bytes < 4 && extends_sign(fill)) {
    constexpr int unused = 32 - 8 * bytes;
    value = static_cast<u32>(static_cast<i32>(value << unused) >> unused);
  }
  if constexpr (fill == Fill::low_half || fill == Fill::sign_low_half)
    return (old & ~0xffffu) | (value & 0xffff);
  if constexpr (fill == Fill::high_half || fill == Fill::sign_high_half)
    return (old & 0xffff) | value << 16;
  return value;
}

template <unsigned bytes>
u32 load_element(const std::byte* from) {
  u32 value = 0;
  if (from != nullptr) std::memcpy(&value, from, bytes);
  return value;
}

// A dword for each lane, one after the other, from where m0 says on.
template <class Space, unsigned bytes, Fill fill>
void load_to_local(Wave& wave, const Instruction& it) {
  if (wave.exec == 0) return;
  Space space(wave, it, bytes, Access::read);
  Lanes32 to;
  for (int lane = 0; lane < lanes; ++lane)
    to.value[lane] = (wave.s[m0] & 0xffff) + static_cast<u32>(it.immediate + 4 * lane);
  if (counting()) count_banks(wave, to.value, 4, LocalUse::write);
  for_each_enabled(wave, [&](int lane) {
    const std::byte* from = space.whole(lane);
    if (from == nullptr) from = space.word(lane, 0);
    const u32 value = fill_register<bytes, fill>(load_element<bytes>(from), 0);
    std::memcpy(wave.group->local->write<4>(wave, to.value[lane]), &value, 4);
  });
}

// Elements of `bytes`, at most 4, `words` of them a lane.
template <class Space, unsigned bytes, int words, Fill fill>
void load(Wave& wave, const Instruction& it) {
  if (it.lds != 0) {
    if constexpr (words == 1 && (fill == Fill::zeros || fill == Fill::sign))
      return load_to_local<Space, bytes, fill>(wave, it);
    throw Fault("this width is not loaded to LDS");
  }
  if (wave.exec == 0) return;
  Space space(wave, it, bytes * words, Access::read);
  u32(*to)[lanes] = &wave.v[it.destination];
  if (const Together together = space.together()) {
    for_each_enabled(wave, [&](int lane) {
      for (int i = 0; i < words; ++i)
        to[i][lane] = fill_register<bytes, fill>(
            load_element<bytes>(together[lane] + bytes * static_cast<unsigned>(i)), to[i][lane]);
    });
    return;
  }
  for_each_enabled(wave, [&](int lane) {
    const std::byte* from = space.whole(lane);
    for (int i = 0; i < words; ++i) {
      const std::byte* element =
          from != nullptr ? from + bytes * static_cast<unsigned>(i) : space.word(lane, i);
      to[i][lane] = fill_register<bytes, fill>(load_element<bytes>(element), to[i][lane]);
    }
  });
}

template <class Space, unsigned bytes, int words, Fill fill>
void store(Wave& wave, const Instruction& it) {
  if (it.lds != 0) throw Fault("storing from LDS is not emulated");
  if (wave.exec == 0) return;
  Space space(wave, it, bytes * words, Access::write);
  const u32(*from)[lanes] = &wave.v[it.data[0]];
  constexpr int shift = fill == Fill::high_half ? 16 : 0;
  const auto put = [&](std::byte* to, int lane, int i) {
    const u32 value = from[i][lane] >> shift;
    if (to != nullptr) std::memcpy(to, &value, bytes);
  };
  if (const Together together = space.together()) {
    for_each_enabled(wave, [&](int lane) {
      for (int i = 0; i < words; ++i)
        put(together[lane] + bytes * static_cast<unsigned>(i), lane, i);
    });
    return;
  }
  for_each_enabled(wave, [&](int lane) {
    std::byte* to = space.whole(lane);
    for (int i = 0; i < words; ++i)
      put(to != nullptr ? to + bytes * static_cast<unsigned>(i) : space.word(lane, i), lane, i);
  });
}

// The instructions of one address space, whose names begin with its prefix.
template <class Space>
void add_space(HandlerTable& to, const std::string& prefix) {
  const auto add = [&](const char* name, Handler handler) { to.add(prefix + name, handler); };
  add("load_ubyte", load<Space, 1, 1, Fill::zeros>);
  add("load_sbyte", load<Space, 1, 1, Fill::sign>);
  add("load_ushort", load<Space, 2, 1, Fill::zeros>);
  add("load_sshort", load<Space, 2, 1, Fill::sign>);
  add("load_ubyte_d16", load<Space, 1, 1, Fill::low_half>);
  add("load_ubyte_d16_hi", load<Space, 1, 1, Fill::high_half>);
  add("load_sbyte_d16", load<Space, 1, 1, Fill::sign_low_half>);
  add("load_sbyte_d16_hi", load<Space, 1, 1, Fill::sign_high_half>);
  add("load_short_d16", load<Space, 2, 1, Fill::low_half>);
  add("load_short_d16_hi", load<Space, 2, 1, Fill::high_half>);
  add("load_dword", load<Space, 4, 1, Fill::zeros>);
  add("load_dwordx2", load<Space, 4, 2, Fill::zeros>);
  add("load_dwordx3", load<Space, 4, 3, Fill::zeros>);
  add("load_dwordx4", load<Space, 4, 4, Fill::zeros>);
  add("store_byte", store<Space, 1, 1, Fill::zeros>);
  add("store_byte_d16_hi", store<Space, 1, 1, Fill::high_half>);
  add("store_short", store<Space, 2, 1, Fill::zeros>);
  add("store_short_d16_hi", store<Space, 2, 1, Fill::high_half>);
  add("store_dword", store<Space, 4, 1, Fill::zeros>);
  add("store_dwordx2", store<Space, 4, 2, Fill::zeros>);
  add("store_dwordx3", store<Space, 4, 3, Fill::zeros>);
  add("store_dwordx4", store<Space, 4, 4, Fill::zeros>);
}

// Buffers have a bit for this in their loads.
constexpr NamedHandler to_local[] = {
    {"global_load_lds_ubyte", load_to_local<GlobalSpace, 1, Fill::zeros>},
    {"global_load_lds_sbyte", load_to_local<GlobalSpace, 1, Fill::sign>},
    {"global_load_lds_ushort", load_to_local<GlobalSpace, 2, Fill::zeros>},
    {"global_load_lds_sshort", load_to_local<GlobalSpace, 2, Fill::sign>},
    {"global_load_lds_dword", load_to_local<GlobalSpace, 4, Fill::zeros>},
};

}  // namespace

std::span<const NamedHandler> global_handlers() {
  static const HandlerTable handlers = [] {
    HandlerTable all;
    add_space<GlobalSpace>(all, "global_");
    add_space<FlatSpace>(all, "flat_");
    add_space<ScratchSpace>(all, "scratch_");
    add_space<BufferSpace>(all, "buffer_");
    for (const NamedHandler& named : to_local) all.add(named.name, named.handler);
    return all;
  }();
  return handlers.all();
}

}  // namespace amd_emulator
