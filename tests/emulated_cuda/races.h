// SPDX-License-Identifier: Apache-2.0
// Finds accesses to shared memory whose order nothing settles. Kernels that are compiled with
// -fsanitize=thread report every access to the functions of races.cpp, which take the place of that
// sanitizer's own: it knows the host's threads, not those of a block.
#pragma once

#include <cstddef>

namespace emulated_cuda {

enum class Access { read, write };

// Of the running thread. A fault if another thread of the block has touched one of these bytes since
// the last barrier, and one of the two wrote. Memory that is not shared is not looked at.
void record_access(const void* memory, std::size_t bytes, Access access);

// What comes after is ordered behind what came before: for all threads of the block, or of a warp.
void order_block();
void order_warp(unsigned warp);

}  // namespace emulated_cuda
