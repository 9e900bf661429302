// SPDX-License-Identifier: Apache-2.0
// Device memory: blocks of the host's heap, so that the address sanitizer sees their ends.
#include <cstdlib>
#include <cstring>

#include "tests/emulated_cuda/emulation.h"
#include "tests/emulated_cuda/runtime_state.h"
#include "tests/emulated_cuda/shared_memory.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define __asan_poison_memory_region(memory, bytes) ((void)(memory), (void)(bytes))
#define __asan_unpoison_memory_region(memory, bytes) ((void)(memory), (void)(bytes))
#endif

namespace emulated_cuda {
namespace {

constexpr std::size_t alignment = 256;  // what CUDA promises
int accesses = 0;                       // nested

cudaError_t allocate(void** memory, std::size_t bytes) {
  Runtime& state = runtime();
  if (const cudaError_t error = forbid_while_capturing()) return error;
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  std::size_t& used = state.used_bytes[static_cast<std::size_t>(current_device())];
  if (must_fail(Failure::allocation) || bytes > state.memory_limit - used ||
      posix_memalign(memory, alignment, bytes) != 0)
    return cudaErrorMemoryAllocation;
  used += bytes;
  poison(*memory, bytes);
  if (accesses == 0) __asan_poison_memory_region(*memory, bytes);
  state.allocations.emplace(static_cast<std::byte*>(*memory), Allocation{bytes, current_device()});
  return cudaSuccess;
}

// Waits for all work of the device, as CUDA does.
cudaError_t release(void* memory) {
  Runtime& state = runtime();
  if (memory == nullptr) return cudaSuccess;
  if (const cudaError_t error = forbid_while_capturing()) return error;
  const auto found = state.allocations.find(static_cast<std::byte*>(memory));
  if (found == state.allocations.end()) return cudaErrorInvalidValue;
  const cudaError_t error = finish_all();
  state.used_bytes[static_cast<std::size_t>(found->second.device)] -= found->second.bytes;
  __asan_unpoison_memory_region(memory, found->second.bytes);
  state.allocations.erase(found);
  std::free(memory);
  return error;
}

// Whether `memory` lies in one of the blocks, and if so all `bytes` of it.
template <class Blocks, class Size>
bool find(const Blocks& blocks, const void* memory, std::size_t bytes, Size size, bool* fits) {
  const auto* first = static_cast<const std::byte*>(memory);
  auto block = blocks.upper_bound(const_cast<std::byte*>(first));
  if (block == blocks.begin()) return false;
  --block;
  const std::byte* end = block->first + size(block->second);
  if (first >= end) return false;
  *fits = first + bytes <= end;
  return true;
}

struct Place {
  bool device = false, pinned = false, fits = true;
};
Place place_of(const void* memory, std::size_t bytes) {
  Place place;
  place.device = find(
      runtime().allocations, memory, bytes, [](const Allocation& block) { return block.bytes; },
      &place.fits);
  if (!place.device)
    place.pinned = find(
        runtime().pinned, memory, bytes, [](std::size_t size) { return size; }, &place.fits);
  return place;
}

bool agrees(cudaMemcpyKind kind, bool from_device, bool to_device) {
  switch (kind) {
    case cudaMemcpyHostToHost:
      return !from_device && !to_device;
    case cudaMemcpyHostToDevice:
      return !from_device && to_device;
    case cudaMemcpyDeviceToHost:
      return from_device && !to_device;
    case cudaMemcpyDeviceToDevice:
      return from_device && to_device;
    case cudaMemcpyDefault:
      return true;
  }
  return false;
}

// Pageable host memory is read before the call returns, as CUDA does; everything else when the
// stream comes to it.
cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                 cudaStream_t stream) {
  const Place source = place_of(from, bytes), target = place_of(to, bytes);
  if (!source.fits || !target.fits) return cudaErrorInvalidValue;
  if (!agrees(kind, source.device, target.device)) return cudaErrorInvalidValue;
  if (bytes == 0) return cudaSuccess;
  if (source.device || source.pinned)
    return enqueue(stream, [=] {
      std::memmove(to, from, bytes);
      return cudaSuccess;
    });
  const auto* first = static_cast<const std::byte*>(from);
  return enqueue(stream, [to, staged = std::vector<std::byte>(first, first + bytes)] {
    std::memcpy(to, staged.data(), staged.size());
    return cudaSuccess;
  });
}

cudaError_t fill(void* memory, int byte, std::size_t bytes, cudaStream_t stream) {
  const Place place = place_of(memory, bytes);
  if (!(place.device || place.pinned) || !place.fits) return cudaErrorInvalidValue;
  return enqueue(stream, [=] {
    std::memset(memory, byte, bytes);
    return cudaSuccess;
  });
}

}  // namespace

MemoryAccess::MemoryAccess() {
  if (accesses++ > 0) return;
  for (const auto& [memory, block] : runtime().allocations)
    __asan_unpoison_memory_region(memory, block.bytes);
}
MemoryAccess::~MemoryAccess() {
  if (--accesses > 0) return;
  for (const auto& [memory, block] : runtime().allocations)
    __asan_poison_memory_region(memory, block.bytes);
}

}  // namespace emulated_cuda

using namespace emulated_cuda;

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  return call([=] { return allocate(memory, bytes); });
}
cudaError_t cudaFree(void* memory) {
  return call([=] { return release(memory); });
}
cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  return call([=] {
    if (posix_memalign(memory, alignment, bytes) != 0) return cudaErrorMemoryAllocation;
    runtime().pinned.emplace(static_cast<std::byte*>(*memory), bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
}
cudaError_t cudaFreeHost(void* memory) {
  return call([=] {
    if (memory == nullptr) return cudaSuccess;
    if (runtime().pinned.erase(static_cast<std::byte*>(memory)) == 0) return cudaErrorInvalidValue;
    const cudaError_t error = finish_all();
    std::free(memory);
    return error;
  });
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return call([=] {
    *total = runtime().memory_limit;
    *free = *total - runtime().used_bytes[static_cast<std::size_t>(current_device())];
    return cudaSuccess;
  });
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return call([=] { return copy(to, from, bytes, kind, stream); });
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return call([=] {
    const cudaError_t error = copy(to, from, bytes, kind, nullptr);
    return error != cudaSuccess ? error : finish(nullptr);
  });
}
cudaError_t cudaMemsetAsync(void* memory, int byte, std::size_t bytes, cudaStream_t stream) {
  return call([=] { return fill(memory, byte, bytes, stream); });
}
cudaError_t cudaMemset(void* memory, int byte, std::size_t bytes) {
  return cudaMemsetAsync(memory, byte, bytes, nullptr);
}
