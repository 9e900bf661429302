// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/local_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace amd_emulator {
namespace {

std::string wave_name(unsigned wave) {
  return "wave " + std::to_string(wave);
}

}  // namespace

LocalMemory::LocalMemory(unsigned bytes) : memory_(bytes), written_(bytes), read_(bytes) {}

void LocalMemory::begin_workgroup() {
  std::fill(memory_.begin(), memory_.end(), std::byte{0xff});
  std::fill(written_.begin(), written_.end(), Stamp{0});
  std::fill(read_.begin(), read_.end(), Stamp{0});
  epoch_ = first_epoch;
}

void LocalMemory::pass_barrier() {
  if (epoch_ == last_epoch) renew_epochs();
  epoch_ = static_cast<Stamp>(epoch_ + (1 << who_bits));
}

// Forgets when what was written, not that it was.
void LocalMemory::renew_epochs() {
  for (Stamp& stamp : written_) stamp = stamp == 0 ? Stamp{0} : before;
  std::fill(read_.begin(), read_.end(), Stamp{0});
  epoch_ = before;
}

void LocalMemory::misplaced(const Wave& wave, std::uint32_t address, unsigned bytes,
                            unsigned alignment, Use use) const {
  static constexpr const char* verbs[] = {"reads", "writes", "modifies"};
  const std::string place =
      fmt::format("{} {} {} bytes at LDS address {:#x}", wave_name(wave.index),
                  verbs[static_cast<int>(use)], bytes, address);
  if (std::uint64_t{address} + bytes > size())
    throw Fault(fmt::format("{}, and its workgroup has {:#x} bytes", place, size()));
  throw Fault(fmt::format("{}, which is not a multiple of {}", place, alignment));
}

// Names the first byte that is wrong, and who touched it before.
void LocalMemory::explain(const Wave& wave, std::uint32_t address, unsigned bytes, Use use) const {
  static constexpr const char* verbs[] = {"reads", "writes", "atomically modifies"};
  const auto mine = static_cast<Stamp>(epoch_ | wave.index);
  const auto other = [](Stamp stamp) {
    return (stamp & several) != 0 ? "several waves" : wave_name(stamp & (atomic - 1));
  };
  for (std::uint32_t byte = address; byte < address + bytes; ++byte) {
    const std::string start = fmt::format("{} {} LDS byte {:#x} that ", wave_name(wave.index),
                                          verbs[static_cast<int>(use)], byte);
    const char* end = ", and no barrier stands between the two";
    const Stamp written = written_[byte], read = read_[byte];
    if (use != Use::write && written == 0) throw Fault(start + "nobody has written");
    if (use == Use::modify ? foreign_to_atomic(written, epoch_, mine)
                           : foreign(written, epoch_, mine)) {
      const bool atomically = (written & (atomic | several)) != 0;
      throw Fault(start + other(written) + (atomically ? " modified atomically" : " wrote") + end);
    }
    if (use != Use::read && foreign(read, epoch_, mine))
      throw Fault(start + other(read) + " read" + end);
  }
  throw Fault(fmt::format("LDS history of {:#x}", address));
}

const std::byte* LocalMemory::read(const Wave& wave, std::uint32_t address, unsigned bytes,
                                   unsigned alignment) {
  check_place(wave, address, bytes, alignment, Use::read);
  for (unsigned i = 0; i < bytes; ++i) read<1>(wave, address + i);
  return memory_.data() + address;
}

std::byte* LocalMemory::write(const Wave& wave, std::uint32_t address, unsigned bytes,
                              unsigned alignment) {
  check_place(wave, address, bytes, alignment, Use::write);
  for (unsigned i = 0; i < bytes; ++i) write<1>(wave, address + i);
  return memory_.data() + address;
}

std::byte* LocalMemory::modify(const Wave& wave, std::uint32_t address, unsigned bytes) {
  check_place(wave, address, bytes, bytes, Use::modify);
  for (unsigned i = 0; i < bytes; ++i) modify<1>(wave, address + i);
  return memory_.data() + address;
}

}  // namespace amd_emulator
