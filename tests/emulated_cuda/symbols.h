// SPDX-License-Identifier: Apache-2.0
// What the program's symbol table says of kernels and of their __shared__ variables.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace emulated_cuda {

// The name of the function that begins at an address, as C++ spells it.
std::string function_name(const void* address);

// All variables declared __shared__, of every kernel of the program.
std::span<const std::span<std::byte>> shared_variables();

// The name of the shared variable that begins at an address.
std::string variable_name(const std::byte* address);

// Bytes of the __shared__ variables that a function declares itself.
std::size_t shared_bytes_of(const void* function);

}  // namespace emulated_cuda
