// SPDX-License-Identifier: Apache-2.0
// The local data share (LDS) of a workgroup, with a history of every byte: what nobody wrote must not be
// read, and two waves must not touch a byte, one of them writing, without a barrier in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace amd_emulator {

struct Wave;

class LocalMemory {
 public:
  explicit LocalMemory(unsigned bytes);

  void begin_workgroup();  // nothing is written yet
  void pass_barrier();     // what comes is ordered behind what was
  unsigned size() const;

  // The bytes [address, address + bytes) for an access of one lane, noted in their history. Throws Fault
  // where they are out of bounds, not aligned to `alignment`, never written, or raced for.
  const std::byte* read(const Wave& wave, std::uint32_t address, unsigned bytes,
                        unsigned alignment);
  std::byte* write(const Wave& wave, std::uint32_t address, unsigned bytes, unsigned alignment);
  std::byte* modify(const Wave& wave, std::uint32_t address, unsigned bytes);  // atomically
};

}  // namespace amd_emulator
