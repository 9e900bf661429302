// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace amd_emulator {

// What a kernel did that the hardware would not have taken, or that this emulator does not know.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace amd_emulator
