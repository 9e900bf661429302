// SPDX-License-Identifier: Apache-2.0
// Atomic instructions on global, generic and buffer memory.
#pragma once

#include <vector>

#include "tests/amd_emulator/handlers.h"

namespace amd_emulator {

void add_global_atomics(std::vector<NamedHandler>& to);

}  // namespace amd_emulator
