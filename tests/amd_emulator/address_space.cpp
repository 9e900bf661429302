// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/address_space.h"

#include <fmt/format.h>

#include "tests/amd_emulator/local_memory.h"
#include "tests/amd_emulator/notes.h"

namespace amd_emulator {
namespace {

// How many different numbers there are; sorts them.
u64 count_different(u64* begin, u64* end) {
  std::sort(begin, end);
  return static_cast<u64>(std::unique(begin, end) - begin);
}

}  // namespace

void count_lines(Wave& wave, const u64 (&addresses)[lanes], unsigned bytes) {
  if (wave.exec == 0) return;
  u64 lines[2 * lanes], elements[lanes];
  u64 *line = lines, *element = elements;
  for_each_enabled(wave, [&](int lane) {
    const u64 first = addresses[lane], last = first + bytes - 1;
    for (u64 number = first / line_bytes; number <= last / line_bytes; ++number) *line++ = number;
    *element++ = first;
  });
  wave.group->counts->lines += count_different(lines, line);
  const u64 different_bytes = count_different(elements, element) * bytes;
  wave.group->counts->ideal_lines += (different_bytes + line_bytes - 1) / line_bytes;
}

std::byte* private_word(Wave& wave, int lane, u64 offset, unsigned bytes) {
  const Workgroup& group = *wave.group;
  const u64 swizzled = offset / 4 * (4 * lanes) + 4 * static_cast<u64>(lane) + offset % 4;
  if (offset % bytes != 0)
    throw Fault(fmt::format("private memory at {:#x} is not aligned to {} bytes", offset, bytes));
  if (swizzled + bytes > group.wave_scratch)
    throw Fault(fmt::format("private memory at {:#x} is beyond the {} bytes that a lane has",
                            offset, group.wave_scratch / lanes));
  group.counts->scratch_accesses += static_cast<u64>(
      lane == std::countr_zero(wave.exec));  // once for a wave's instruction and word
  return host_view(group.scratch + wave.index * group.wave_scratch + swizzled, bytes);
}

std::byte* local_bytes(Wave& wave, u64 address, unsigned bytes, Access access) {
  LocalMemory& local = *wave.group->local;
  const auto at = static_cast<u32>(address);
  if (access == Access::read)
    return const_cast<std::byte*>(local.read(wave, at, bytes, std::min(bytes, 4u)));
  if (access == Access::write) return local.write(wave, at, bytes, std::min(bytes, 4u));
  return local.modify(wave, at, bytes);
}

Together find_together(const Wave& wave, const Lanes64& addresses, unsigned bytes, Access access) {
  u64 lowest = ~u64{0}, highest = 0, all_bits = 0, in_sequence = 1;
  for (int lane = 0; lane < lanes; ++lane) {
    const u64 address = addresses.value[lane];
    const u64 left_out = wave.enabled[lane] != 0 ? 0 : ~u64{0};
    lowest = std::min(lowest, address | left_out);
    highest = std::max(highest, address & ~left_out);
    all_bits |= address & ~left_out;
    in_sequence &= address == addresses.value[0] + static_cast<u64>(lane) * bytes;
  }
  if (all_bits % std::min(bytes, 4u) != 0) return {};
  std::byte* host = host_view(lowest, highest - lowest + bytes);
  if (host == nullptr) return {};
  if (noting) [[unlikely]] {
    if (in_sequence != 0 && wave.exec == all_lanes)
      note_access(lowest, host, lanes * bytes, access);
    else
      for_each_enabled(wave, [&](int lane) {
        const u64 address = addresses.value[lane];
        note_access(address, host + (address - lowest), bytes, access);
      });
  }
  return {addresses.value, host, lowest};
}

BufferSpace::BufferSpace(Wave& wave, const Instruction& it, unsigned bytes, Access access)
    : wave_(wave), bytes_(bytes), access_(access) {
  const u32* descriptor = &wave.s[it.scalar_address];
  const u32 skipped = scalar32(wave, it, it.source[0]);
  const u64 start = pair(descriptor[0], descriptor[1] & 0xffff) + skipped;
  swizzled_ = descriptor[1] >> 31 != 0;
  if (it.index_enable != 0 || (descriptor[1] >> 16 & 0x3fff) != 0)
    throw Fault("a structured buffer is not emulated");
  // The stack pointer counts bytes of the wave, the prologue has added the wave's offset to the base.
  const Workgroup& group = *wave.group;
  const u64 base =
      swizzled_ ? (start - group.scratch - wave.index * group.wave_scratch) / lanes : start;
  end_ = swizzled_ ? 0 : start + (descriptor[2] > skipped ? descriptor[2] - skipped : 0);
  for (int lane = 0; lane < lanes; ++lane)
    address_.value[lane] = base + static_cast<u64>(it.immediate) +
                           (it.offset_enable != 0 ? wave.v[it.address_register][lane] : 0);
  if (counting() && !swizzled_) [[unlikely]]
    count_lines(wave, address_.value, bytes);
}

}  // namespace amd_emulator
