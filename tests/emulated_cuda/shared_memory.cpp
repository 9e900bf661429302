// SPDX-License-Identifier: Apache-2.0
#include "tests/emulated_cuda/shared_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "tests/emulated_cuda/symbols.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define __asan_poison_memory_region(memory, bytes) ((void)(memory), (void)(bytes))
#define __asan_unpoison_memory_region(memory, bytes) ((void)(memory), (void)(bytes))
#endif

namespace emulated_cuda {
namespace {

constexpr std::size_t fence_bytes = 1024;  // behind the dynamic part, looked at after every block
alignas(1024) std::byte dynamic[most_shared_bytes + fence_bytes];

bool within(std::span<const std::byte> variable, const void* memory, std::size_t bytes) {
  const auto* first = static_cast<const std::byte*>(memory);
  return first >= variable.data() && first + bytes <= variable.data() + variable.size();
}

}  // namespace

void poison(void* memory, std::size_t bytes) {
  std::memset(memory, 0xff, bytes);
}

void prepare_shared_memory(std::size_t dynamic_bytes) {
  for (const std::span<std::byte> variable : shared_variables())
    poison(variable.data(), variable.size());
  __asan_unpoison_memory_region(dynamic, sizeof dynamic);
  poison(dynamic, dynamic_bytes + fence_bytes);
  __asan_poison_memory_region(dynamic + dynamic_bytes, sizeof dynamic - dynamic_bytes);
}

bool dynamic_shared_memory_is_intact(std::size_t dynamic_bytes) {
  __asan_unpoison_memory_region(dynamic, sizeof dynamic);
  const std::span fence(dynamic + dynamic_bytes, fence_bytes);
  return std::ranges::all_of(fence, [](std::byte value) { return value == std::byte{0xff}; });
}

bool is_shared(const void* memory, std::size_t bytes) {
  const auto contains = [=](std::span<const std::byte> part) {
    return within(part, memory, bytes);
  };
  return contains({dynamic, most_shared_bytes}) ||
         std::ranges::any_of(shared_variables(), contains);
}

std::span<std::byte> dynamic_shared_memory() {
  return {dynamic, most_shared_bytes};
}

std::string shared_name(const void* place) {
  if (within({dynamic, most_shared_bytes}, place, 1))
    return fmt::format("byte {} of dynamic shared memory",
                       static_cast<const std::byte*>(place) - dynamic);
  for (const std::span<std::byte> variable : shared_variables())
    if (within(variable, place, 1))
      return fmt::format("byte {} of {}", static_cast<const std::byte*>(place) - variable.data(),
                         variable_name(variable.data()));
  return "a byte";
}

}  // namespace emulated_cuda
