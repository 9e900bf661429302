// SPDX-License-Identifier: Apache-2.0
// What is noted of a launch's accesses to global memory: the lines it touches, to be counted, and what
// it overwrites, so that it can be run again from where it began.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/amd_emulator/memory.h"

namespace amd_emulator {

// Whether accesses are noted: reach() asks, and then calls note_access.
extern bool noting;
void note_access(std::uint64_t address, std::byte* host, unsigned bytes, Access access);
// A thread's notes count once it has handed them in.
void hand_in_notes();

// Lines from here on, and what they come to.
void begin_counting_lines();
// What was touched there, in one page, does not count.
void disregard(std::uint64_t address);
struct TouchedBytes {
  std::uint64_t read, written;  // whole lines
};
TouchedBytes end_counting_lines();

// Keeps what is overwritten from here on.
void begin_journal();
// Takes the memory back to where it was and keeps what it had become.
void rewind_journal();
// Compares what the memory has become now with what was kept; ends the journal. Empty if both are the
// same, else what differs. Sums of floating-point atomics may differ: their order is nobody's promise.
std::string compare_with_journal();

}  // namespace amd_emulator
