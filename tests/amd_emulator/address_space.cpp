// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/address_space.h"

#include <fmt/format.h>

#include "tests/amd_emulator/local_memory.h"

namespace amd_emulator {
namespace {

// Calls f(first, last) for the lines of every lane that takes part.
template <class F>
void for_each_line(const Wave& wave, const u64 (&addresses)[lanes], unsigned bytes, F f) {
  for_each_enabled(wave, [&](int lane) {
    for (u64 line = addresses[lane] / line_bytes;
         line <= (addresses[lane] + bytes - 1) / line_bytes; ++line)
      f(line);
  });
}

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
  for_each_line(wave, addresses, bytes, [&](u64 number) { *line++ = number; });
  for_each_enabled(wave, [&](int lane) { *element++ = addresses[lane]; });
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

BufferSpace::BufferSpace(Wave& wave, const Instruction& it, unsigned bytes, Access access)
    : wave_(wave), bytes_(bytes), access_(access) {
  const u32* descriptor = &wave.s[it.scalar_address];
  const u32 skipped = scalar32(wave, it, it.source[0]);
  const u64 start = pair(descriptor[0], descriptor[1] & 0xffff);
  swizzled_ = descriptor[1] >> 31 != 0;
  if (it.index_enable != 0 || (descriptor[1] >> 16 & 0x3fff) != 0)
    throw Fault("a structured buffer is not emulated");
  for (int lane = 0; lane < lanes; ++lane)
    offset_.value[lane] = (it.offset_enable != 0 ? wave.v[it.address_register][lane] : 0) +
                          static_cast<u64>(it.immediate);
  base_ = start + skipped;
  limit_ = descriptor[2] > skipped ? descriptor[2] - skipped : 0;
  if (swizzled_) {
    // The stack pointer counts bytes of the wave, the prologue has added the wave's offset to the base.
    const u64 of_wave = base_ - (wave.group->scratch + wave.index * wave.group->wave_scratch);
    for (u64& offset : offset_.value) offset += of_wave / lanes;
  } else if (counting()) [[unlikely]] {
    u64 addresses[lanes];
    for (int lane = 0; lane < lanes; ++lane) addresses[lane] = base_ + offset_.value[lane];
    count_lines(wave, addresses, bytes);
  }
}

}  // namespace amd_emulator
