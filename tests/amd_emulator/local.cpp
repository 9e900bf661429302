// SPDX-License-Identifier: Apache-2.0
// Loads and stores of LDS.
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/local_banks.h"
#include "tests/amd_emulator/local_memory.h"
#include "tests/amd_emulator/operands.h"

namespace amd_emulator {
namespace {

// A copy, since a load may overwrite the register with its addresses. They wrap: compilers move a
// negative base's offset into the instruction.
Lanes32 addresses(const Wave& wave, const Instruction& it, std::uint32_t offset) {
  Lanes32 result;
  for (int lane = 0; lane < lanes; ++lane)
    result.value[lane] = wave.v[it.address_register][lane] + offset;
  return result;
}

std::uint32_t single_offset(const Instruction& it) {
  return static_cast<std::uint32_t>(it.immediate) & 0xffff;
}
// Of instructions with two addresses: bytes, counted in elements, or in 64 of them.
std::uint32_t offset(const Instruction& it, int which, unsigned unit) {
  return (static_cast<std::uint32_t>(it.immediate) >> (8 * which) & 0xff) * unit;
}

// LDS takes 96 bits where dwords are aligned; other widths must be aligned to themselves.
constexpr unsigned alignment(unsigned bytes) {
  return bytes == 12 ? 4 : bytes;
}

template <unsigned words>
void read_words(Wave& wave, const Lanes32& from, unsigned destination) {
  constexpr unsigned bytes = 4 * words;
  LocalMemory& local = *wave.group->local;
  if (counting()) count_banks(wave, from.value, bytes, LocalUse::read);
  for_each_enabled(wave, [&](int lane) {
    std::uint32_t value[words];
    std::memcpy(value, local.read<bytes>(wave, from.value[lane], alignment(bytes)), bytes);
    for (unsigned word = 0; word < words; ++word) wave.v[destination + word][lane] = value[word];
  });
}

template <unsigned words>
void write_words(Wave& wave, const Lanes32& to, unsigned source) {
  constexpr unsigned bytes = 4 * words;
  LocalMemory& local = *wave.group->local;
  if (counting()) count_banks(wave, to.value, bytes, LocalUse::write);
  for_each_enabled(wave, [&](int lane) {
    std::uint32_t value[words];
    for (unsigned word = 0; word < words; ++word) value[word] = wave.v[source + word][lane];
    std::memcpy(local.write<bytes>(wave, to.value[lane], alignment(bytes)), value, bytes);
  });
}

template <unsigned words>
void read(Wave& wave, const Instruction& it) {
  read_words<words>(wave, addresses(wave, it, single_offset(it)), it.destination);
}
template <unsigned words>
void write(Wave& wave, const Instruction& it) {
  write_words<words>(wave, addresses(wave, it, single_offset(it)), it.data[0]);
}

template <unsigned words, unsigned stride>
void read2(Wave& wave, const Instruction& it) {
  const Lanes32 first = addresses(wave, it, offset(it, 0, 4 * words * stride));
  const Lanes32 second = addresses(wave, it, offset(it, 1, 4 * words * stride));
  read_words<words>(wave, first, it.destination);
  read_words<words>(wave, second, it.destination + words);
}
template <unsigned words, unsigned stride>
void write2(Wave& wave, const Instruction& it) {
  write_words<words>(wave, addresses(wave, it, offset(it, 0, 4 * words * stride)), it.data[0]);
  write_words<words>(wave, addresses(wave, it, offset(it, 1, 4 * words * stride)), it.data[1]);
}

enum class Half { whole, low, high };  // of the register that takes a short value

// Narrow is what memory holds. D16 instructions replace a half of the register by the value, extended
// to 16 bits, and keep the other.
template <class Narrow, Half half>
void read_short(Wave& wave, const Instruction& it) {
  const Lanes32 from = addresses(wave, it, single_offset(it));
  if (counting()) count_banks(wave, from.value, sizeof(Narrow), LocalUse::read);
  for_each_enabled(wave, [&](int lane) {
    Narrow narrow;
    std::memcpy(&narrow, wave.group->local->read<sizeof narrow>(wave, from.value[lane]),
                sizeof narrow);
    const auto value = static_cast<std::uint32_t>(std::int32_t{narrow});
    std::uint32_t& to = wave.v[it.destination][lane];
    if constexpr (half == Half::whole)
      to = value;
    else if constexpr (half == Half::low)
      to = (to & 0xffff0000) | (value & 0xffff);
    else
      to = (to & 0xffff) | value << 16;
  });
}

template <class Narrow, unsigned shift>
void write_short(Wave& wave, const Instruction& it) {
  const Lanes32 to = addresses(wave, it, single_offset(it));
  if (counting()) count_banks(wave, to.value, sizeof(Narrow), LocalUse::write);
  for_each_enabled(wave, [&](int lane) {
    const auto narrow = static_cast<Narrow>(wave.v[it.data[0]][lane] >> shift);
    std::memcpy(wave.group->local->write<sizeof narrow>(wave, to.value[lane]), &narrow,
                sizeof narrow);
  });
}

// The address is the lane's number, and what M0 holds.
Lanes32 lane_addresses(const Wave& wave, const Instruction& it) {
  Lanes32 result;
  for (int lane = 0; lane < lanes; ++lane)
    result.value[lane] =
        single_offset(it) + (wave.s[m0] & 0xffff) + static_cast<std::uint32_t>(4 * lane);
  return result;
}
void read_by_lane(Wave& wave, const Instruction& it) {
  read_words<1>(wave, lane_addresses(wave, it), it.destination);
}
void write_by_lane(Wave& wave, const Instruction& it) {
  write_words<1>(wave, lane_addresses(wave, it), it.data[0]);
}

constexpr NamedHandler table[] = {
    {"ds_read_b32", read<1>},
    {"ds_read_b64", read<2>},
    {"ds_read_b96", read<3>},
    {"ds_read_b128", read<4>},
    {"ds_read2_b32", read2<1, 1>},
    {"ds_read2_b64", read2<2, 1>},
    {"ds_read2st64_b32", read2<1, 64>},
    {"ds_read2st64_b64", read2<2, 64>},
    {"ds_read_u8", read_short<std::uint8_t, Half::whole>},
    {"ds_read_i8", read_short<std::int8_t, Half::whole>},
    {"ds_read_u16", read_short<std::uint16_t, Half::whole>},
    {"ds_read_i16", read_short<std::int16_t, Half::whole>},
    {"ds_read_u8_d16", read_short<std::uint8_t, Half::low>},
    {"ds_read_i8_d16", read_short<std::int8_t, Half::low>},
    {"ds_read_u16_d16", read_short<std::uint16_t, Half::low>},
    {"ds_read_u8_d16_hi", read_short<std::uint8_t, Half::high>},
    {"ds_read_i8_d16_hi", read_short<std::int8_t, Half::high>},
    {"ds_read_u16_d16_hi", read_short<std::uint16_t, Half::high>},
    {"ds_read_addtid_b32", read_by_lane},
    {"ds_write_b32", write<1>},
    {"ds_write_b64", write<2>},
    {"ds_write_b96", write<3>},
    {"ds_write_b128", write<4>},
    {"ds_write2_b32", write2<1, 1>},
    {"ds_write2_b64", write2<2, 1>},
    {"ds_write2st64_b32", write2<1, 64>},
    {"ds_write2st64_b64", write2<2, 64>},
    {"ds_write_b8", write_short<std::uint8_t, 0>},
    {"ds_write_b16", write_short<std::uint16_t, 0>},
    {"ds_write_b8_d16_hi", write_short<std::uint8_t, 16>},
    {"ds_write_b16_d16_hi", write_short<std::uint16_t, 16>},
    {"ds_write_addtid_b32", write_by_lane},
};

}  // namespace

std::span<const NamedHandler> local_handlers() {
  return table;
}

}  // namespace amd_emulator
