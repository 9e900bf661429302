// SPDX-License-Identifier: Apache-2.0
// The local data share (LDS) of a workgroup, with a history of every byte: what nobody wrote must not be
// read, and two waves must not touch a byte, one of them writing, without a barrier in between. Atomic
// operations are ordered among themselves, but not with plain reads and writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/amd_emulator/wave.h"

namespace amd_emulator {

class LocalMemory {
 public:
  explicit LocalMemory(unsigned bytes);

  void begin_workgroup();  // nothing is written yet
  void pass_barrier();     // what comes is ordered behind what was
  unsigned size() const { return static_cast<unsigned>(memory_.size()); }

  // The bytes [address, address + bytes) for an access of one lane, noted in their history. Throws Fault
  // where they are out of bounds, not aligned to `alignment`, never written, or raced for.
  template <unsigned bytes>
  const std::byte* read(const Wave& wave, std::uint32_t address, unsigned alignment = bytes);
  template <unsigned bytes>
  std::byte* write(const Wave& wave, std::uint32_t address, unsigned alignment = bytes);
  template <unsigned bytes>
  std::byte* modify(const Wave& wave, std::uint32_t address);  // atomically

  // The same, for widths that are known late.
  const std::byte* read(const Wave& wave, std::uint32_t address, unsigned bytes,
                        unsigned alignment);
  std::byte* write(const Wave& wave, std::uint32_t address, unsigned bytes, unsigned alignment);
  std::byte* modify(const Wave& wave, std::uint32_t address, unsigned bytes);

 private:
  enum class Use : std::uint8_t { read, write, modify };

  // When and by whom a byte was last touched: an epoch, which is the time between two barriers, and in
  // the low bits a wave, a wave's atomic operation, or several waves. 0 is never. Later epochs are
  // greater stamps, so that one comparison tells whether a stamp is of this epoch.
  using Stamp = std::uint16_t;
  static constexpr unsigned who_bits = 6;
  static constexpr Stamp atomic = 16, several = 32;
  static constexpr Stamp before = 1 << who_bits;  // epoch 1: what was written before a renewal
  static constexpr Stamp first_epoch = 2 << who_bits;
  static constexpr Stamp last_epoch = static_cast<Stamp>(0xffffu << who_bits);

  static Stamp joined(Stamp stamp, Stamp epoch, Stamp mine) {
    return (stamp >= epoch) & (stamp != mine) ? static_cast<Stamp>(epoch | several) : mine;
  }
  // Whether a stamp is of this epoch and of another wave.
  static Stamp foreign(Stamp stamp, Stamp epoch, Stamp mine) {
    return (stamp >= epoch) & ((stamp & static_cast<Stamp>(~atomic)) != mine);
  }
  // The same for an atomic operation, to which others' atomic operations are no danger.
  static Stamp foreign_to_atomic(Stamp stamp, Stamp epoch, Stamp mine) {
    return (stamp >= epoch) & (stamp < (epoch | atomic)) & (stamp != mine);
  }
  // An atomic operation's stamp. A plain write of this wave weighs more, and stays.
  static Stamp joined_atomic(Stamp stamp, Stamp epoch, Stamp mine) {
    const Stamp changed = joined(stamp, epoch, mine | atomic);
    return stamp == mine ? mine : changed;
  }

  void check_place(const Wave& wave, std::uint32_t address, unsigned bytes, unsigned alignment,
                   Use use) const {
    if (std::uint64_t{address} + bytes > size() || (address & (alignment - 1)) != 0) [[unlikely]]
      misplaced(wave, address, bytes, alignment, use);
  }
  [[noreturn]] void misplaced(const Wave& wave, std::uint32_t address, unsigned bytes,
                              unsigned alignment, Use use) const;
  [[noreturn]] void explain(const Wave& wave, std::uint32_t address, unsigned bytes, Use use) const;
  void renew_epochs();

  std::vector<std::byte> memory_;
  std::vector<Stamp> written_, read_;
  Stamp epoch_ = first_epoch;
};

// The loops below become vector instructions: they have no exits, their lengths are constants, and none
// both checks and notes. Unrolled first, as GCC would, they do not.

template <unsigned bytes>
const std::byte* LocalMemory::read(const Wave& wave, std::uint32_t address, unsigned alignment) {
  check_place(wave, address, bytes, alignment, Use::read);
  const Stamp epoch = epoch_, mine = static_cast<Stamp>(epoch | wave.index);
  const Stamp* written = written_.data() + address;
  Stamp* read = read_.data() + address;
  Stamp wrong = 0;
#pragma GCC unroll 1
  for (unsigned i = 0; i < bytes; ++i)
    wrong |= static_cast<Stamp>((written[i] == 0) | foreign(written[i], epoch, mine));
  if (wrong != 0) [[unlikely]]
    explain(wave, address, bytes, Use::read);
#pragma GCC unroll 1
  for (unsigned i = 0; i < bytes; ++i) read[i] = joined(read[i], epoch, mine);
  return memory_.data() + address;
}

template <unsigned bytes>
std::byte* LocalMemory::write(const Wave& wave, std::uint32_t address, unsigned alignment) {
  check_place(wave, address, bytes, alignment, Use::write);
  const Stamp epoch = epoch_, mine = static_cast<Stamp>(epoch | wave.index);
  Stamp* written = written_.data() + address;
  const Stamp* read = read_.data() + address;
  Stamp wrong = 0;
#pragma GCC unroll 1
  for (unsigned i = 0; i < bytes; ++i)
    wrong |= static_cast<Stamp>(foreign(written[i], epoch, mine) | foreign(read[i], epoch, mine));
  if (wrong != 0) [[unlikely]]
    explain(wave, address, bytes, Use::write);
#pragma GCC unroll 1
  for (unsigned i = 0; i < bytes; ++i) written[i] = mine;
  return memory_.data() + address;
}

template <unsigned bytes>
std::byte* LocalMemory::modify(const Wave& wave, std::uint32_t address) {
  check_place(wave, address, bytes, bytes, Use::modify);
  const Stamp epoch = epoch_, mine = static_cast<Stamp>(epoch | wave.index);
  Stamp* written = written_.data() + address;
  const Stamp* read = read_.data() + address;
  Stamp wrong = 0;
#pragma GCC unroll 1
  for (unsigned i = 0; i < bytes; ++i)
    wrong |= static_cast<Stamp>((written[i] == 0) | foreign_to_atomic(written[i], epoch, mine) |
                                foreign(read[i], epoch, mine));
  if (wrong != 0) [[unlikely]]
    explain(wave, address, bytes, Use::modify);
#pragma GCC unroll 1
  for (unsigned i = 0; i < bytes; ++i) written[i] = joined_atomic(written[i], epoch, mine);
  return memory_.data() + address;
}

}  // namespace amd_emulator
