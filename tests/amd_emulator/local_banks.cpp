// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/local_banks.h"

#include <algorithm>

namespace amd_emulator {
namespace {

constexpr unsigned banks = 32;  // of one dword each, on both targets

constexpr std::uint64_t run(int first, int count) {
  return (count == 64 ? all_lanes : (std::uint64_t{1} << count) - 1) << first;
}
constexpr std::uint64_t pair_of_fours(int first, int second) {
  return run(first, 4) | run(second, 4);
}

constexpr std::uint64_t halves[] = {run(0, 32), run(32, 32)};
constexpr std::uint64_t quarters[] = {run(0, 16), run(16, 16), run(32, 16), run(48, 16)};
constexpr std::uint64_t eighths[] = {run(0, 8),  run(8, 8),  run(16, 8), run(24, 8),
                                     run(32, 8), run(40, 8), run(48, 8), run(56, 8)};
constexpr std::uint64_t wide_reads[] = {
    pair_of_fours(0, 20),  pair_of_fours(4, 16),  pair_of_fours(8, 28),  pair_of_fours(12, 24),
    pair_of_fours(32, 52), pair_of_fours(36, 48), pair_of_fours(40, 60), pair_of_fours(44, 56)};

// The dwords that the lanes of a phase ask of one bank.
struct Bank {
  std::uint32_t dword[lanes];
  unsigned count = 0;

  void ask(std::uint32_t for_dword, bool each) {
    if (each || std::find(dword, dword + count, for_dword) == dword + count)
      dword[count++ % lanes] = for_dword;
  }
};

// How many cycles a phase takes: what is asked most often of a bank. Lanes that read or write the same
// dword are served together; atomic operations on one dword follow each other.
unsigned cycles(std::uint64_t phase, const std::uint32_t* addresses, unsigned bytes, LocalUse use) {
  Bank asked[banks];
  for (std::uint64_t left = phase; left != 0; left &= left - 1) {
    const std::uint32_t address = addresses[std::countr_zero(left)];
    for (std::uint32_t dword = address / 4; dword <= (address + bytes - 1) / 4; ++dword)
      asked[dword % banks].ask(dword, use == LocalUse::atomic);
  }
  unsigned most = 0;
  for (const Bank& bank : asked) most = std::max(most, bank.count);
  return most;
}

}  // namespace

// 128 bytes a cycle: 32 lanes of a dword, 16 of two, 8 of more. Which 8 lanes is published for 128 bits
// (AMD's ROCm blog "Avoiding LDS Bank Conflicts on AMD GPUs Using CK-Tile Framework"): successive ones
// when writing, two groups of four when reading; 96 bits are taken to be alike. That 64-bit writes take
// 16 successive lanes was measured (HipKittens, analysis/paper_experiments/phases); reads of 64 bits
// are taken to be alike.
std::span<const std::uint64_t> phases(LocalUse use, unsigned bytes) {
  if (bytes <= 4) return halves;
  if (bytes <= 8) return quarters;
  if (use == LocalUse::read) return wide_reads;
  return eighths;
}

void count_banks(Wave& wave, const std::uint32_t* addresses, unsigned bytes, LocalUse use) {
  for (const std::uint64_t mask : phases(use, bytes)) {
    const std::uint64_t phase = mask & wave.exec;
    if (phase == 0) continue;
    wave.group->counts->local_cycles += 1;
    wave.group->counts->local_conflicts += cycles(phase, addresses, bytes, use) - 1;
  }
}

}  // namespace amd_emulator
