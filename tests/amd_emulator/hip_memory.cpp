// SPDX-License-Identifier: Apache-2.0
// Memory, and copies that happen when something waits for them.
#include <cstring>

#include "tests/amd_emulator/memory.h"
#include "tests/amd_emulator/runtime.h"

namespace amd_emulator {
namespace {

std::uint64_t address_of(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

// Where this process sees a pointer of either kind. Null where it is a device's and `bytes` from it on
// are not all in one allocation.
std::byte* view(const void* pointer, std::size_t bytes) {
  if (is_device_address(address_of(pointer))) return host_view(address_of(pointer), bytes);
  return static_cast<std::byte*>(const_cast<void*>(pointer));
}

hipError_t copy(void* to, const void* from, std::size_t bytes, hipStream_t stream) {
  if (bytes == 0) return hipSuccess;
  if (view(to, bytes) == nullptr || view(from, bytes) == nullptr) return hipErrorInvalidValue;
  return enqueue(stream, [=] {
    std::byte* target = view(to, bytes);
    const std::byte* source = view(from, bytes);
    if (target == nullptr || source == nullptr)
      throw Fault("a copy reaches memory that was freed before it happened");
    std::memmove(target, source, bytes);
  });
}

hipError_t set(void* to, int value, std::size_t bytes, hipStream_t stream) {
  if (bytes == 0) return hipSuccess;
  if (view(to, bytes) == nullptr) return hipErrorInvalidValue;
  return enqueue(stream, [=] {
    std::byte* target = view(to, bytes);
    if (target == nullptr) throw Fault("memory is set that was freed before");
    std::memset(target, value, bytes);
  });
}

hipError_t give(void** memory, void* made, std::size_t bytes) {
  *memory = made;
  return made == nullptr && bytes > 0 ? hipErrorOutOfMemory : hipSuccess;
}

// Work that was enqueued may still use it.
hipError_t take_back(void* memory) {
  if (memory == nullptr) return hipSuccess;
  if (const hipError_t error = forbid_while_capturing(); error != hipSuccess) return error;
  if (const hipError_t error = finish_all(); error != hipSuccess) return error;
  return release(address_of(memory)) ? hipSuccess : hipErrorInvalidValue;
}

}  // namespace
}  // namespace amd_emulator

using namespace amd_emulator;

extern "C" {

hipError_t hipMalloc(void** memory, std::size_t bytes) {
  return call([=] {
    if (const hipError_t error = forbid_while_capturing(); error != hipSuccess) return error;
    return give(memory, reinterpret_cast<void*>(allocate(bytes)), bytes);
  });
}
hipError_t hipHostMalloc(void** memory, std::size_t bytes, unsigned) {
  return call([=] {
    if (const hipError_t error = forbid_while_capturing(); error != hipSuccess) return error;
    return give(memory, allocate_pinned(bytes), bytes);
  });
}
hipError_t hipFree(void* memory) {
  return call([=] { return take_back(memory); });
}
hipError_t hipHostFree(void* memory) {
  return call([=] { return take_back(memory); });
}
hipError_t hipMemGetInfo(std::size_t* free, std::size_t* total) {
  return call([=] {
    *free = free_bytes();
    *total = runtime().devices[static_cast<std::size_t>(current_device())].memory_bytes;
    return hipSuccess;
  });
}

hipError_t hipMemcpyAsync(void* to, const void* from, std::size_t bytes, hipMemcpyKind,
                          hipStream_t stream) {
  return call([=] { return copy(to, from, bytes, stream); });
}
hipError_t hipMemcpy(void* to, const void* from, std::size_t bytes, hipMemcpyKind) {
  return call([=] {
    const hipError_t error = copy(to, from, bytes, nullptr);
    return error != hipSuccess ? error : finish(nullptr);
  });
}
hipError_t hipMemsetAsync(void* to, int value, std::size_t bytes, hipStream_t stream) {
  return call([=] { return set(to, value, bytes, stream); });
}
hipError_t hipMemset(void* to, int value, std::size_t bytes) {
  return hipMemsetAsync(to, value, bytes, nullptr);  // does not wait, as on a device
}

}  // extern "C"
