// SPDX-License-Identifier: Apache-2.0
// A kernel's launch, and its execution: workgroups on the host's cores, the waves of each in turns.
#pragma once

#include <cstddef>
#include <vector>

#include "tests/amd_emulator/code_object.h"
#include "tests/amd_emulator/wave.h"

namespace amd_emulator {

struct Size {
  unsigned x = 1, y = 1, z = 1;
};

struct Launch {
  const Kernel* kernel;
  Size grid;   // in workgroups
  Size block;  // of a workgroup, in lanes
  unsigned dynamic_local_bytes = 0;
  std::vector<std::byte> arguments;  // the kernel argument segment
};

// The kernel argument segment: explicit arguments from `values`, one pointer for each, hidden ones by
// their kind.
std::vector<std::byte> argument_segment(const Kernel& kernel, Size grid, Size block,
                                        unsigned dynamic_local_bytes, void* const* values);

// Runs the kernel to its end. Throws Fault with the kernel, workgroup, wave, address and instruction.
void execute(const Launch& launch);

}  // namespace amd_emulator
