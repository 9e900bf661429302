// SPDX-License-Identifier: Apache-2.0
// The memory that the threads of a block share.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace emulated_cuda {

// The most dynamic shared memory that any device gives a block.
inline constexpr std::size_t most_shared_bytes = 227 << 10;

// Fills memory with ones: NaN in every format, and an index that is out of bounds.
void poison(void* memory, std::size_t bytes);

// Poisons all shared memory; what lies behind `dynamic_bytes` of the dynamic part may not be used.
void prepare_shared_memory(std::size_t dynamic_bytes);

// Whether what lies behind `dynamic_bytes` is as prepare_shared_memory left it.
bool dynamic_shared_memory_is_intact(std::size_t dynamic_bytes);

// Whether all of these bytes are shared memory.
bool is_shared(const void* memory, std::size_t bytes);

// The dynamic part, whole, aligned to 1024 bytes.
std::span<std::byte> dynamic_shared_memory();

// A byte of shared memory in words: "byte 64 of tile".
std::string shared_name(const void* place);

}  // namespace emulated_cuda
