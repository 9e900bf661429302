// SPDX-License-Identifier: Apache-2.0
// Bank conflicts of LDS accesses.
#pragma once

#include <span>

#include "tests/amd_emulator/wave.h"

namespace amd_emulator {

enum class LocalUse : std::uint8_t { read, write, atomic };

// The lanes that LDS serves together in one cycle, as masks, for an access of `bytes` per lane.
std::span<const std::uint64_t> phases(LocalUse use, unsigned bytes);

// Adds to the counts how many cycles an access at the lanes' addresses takes.
void count_banks(Wave& wave, const std::uint32_t* addresses, unsigned bytes, LocalUse use);

}  // namespace amd_emulator
