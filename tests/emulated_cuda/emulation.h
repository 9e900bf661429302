// SPDX-License-Identifier: Apache-2.0
// What a test can tell the emulated devices, and ask them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace emulated_cuda {

// As if the process had just begun, with these devices: "sm_80", "sm_90", several with commas, or
// none. At the start of the process STEELYARD_EMULATE says which, sm_90 unless it is set. What was
// allocated or created before is gone.
void restart(std::string_view architectures);

// The memory of every device; 4 GiB at first.
void limit_memory(std::size_t bytes);

// Last blocks, warps and lanes first: shows what depends on the order. STEELYARD_EMULATE_ORDER=reverse
// says so at the start of the process.
inline bool reverse_order = false;

enum class Failure {
  allocation,   // cudaMalloc: out of memory
  launch,       // a kernel that needs more than the device has
  device_lost,  // an illegal address while a kernel runs: nothing works from then on
};
// Lets the n-th of such calls from now on fail, the first being 1.
void fail(Failure failure, int nth);

// What was wrong with the last kernel that misused the hardware; empty when none did.
std::string last_fault();

}  // namespace emulated_cuda
