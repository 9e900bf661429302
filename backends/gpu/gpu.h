// SPDX-License-Identifier: Apache-2.0
// The one place where a GPU vendor is chosen. Below it everything speaks gpu::, and whatever the
// vendors spell differently is a typed function of the same name in both vendor headers.
#pragma once

#ifdef STEELYARD_GPU_HIP  // defined by the build
#include "backends/gpu/vendor_hip.h"
#else
#include "backends/gpu/vendor_cuda.h"
#endif

#include <source_location>
#include <type_traits>
#include <utility>

namespace steelyard::gpu {

// Throws OutOfMemory, DeviceLost (the device will not answer again) or std::runtime_error, with the
// place of the call and the vendor's own words.
void check(Error error, std::source_location at = std::source_location::current());

// An owner of what a vendor's create() makes and destroy() or release() frees.
template <class Handle>
class Owner {
 public:
  explicit Owner(Handle taken = {}) : handle_(taken) {}
  Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, Handle{})) {}
  Owner& operator=(Owner&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owner() {
    if (handle_ != Handle{}) (void)destroy(handle_);
  }

  Handle get() const { return handle_; }

 private:
  Handle handle_;
};
using Stream = Owner<StreamHandle>;
using Event = Owner<EventHandle>;
using Graph = Owner<GraphHandle>;
using Executable = Owner<ExecutableHandle>;

// A stream or an event of the selected device.
template <class Owned>
Owned make() {
  decltype(std::declval<Owned>().get()) handle{};
  check(create(&handle));
  return Owned(handle);
}

// `count` values in the memory of the selected device; not initialised.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t count) : count_(count) {
    void* memory = nullptr;
    if (count > 0) check(allocate(&memory, count * sizeof(T)));
    data_ = static_cast<T*>(memory);
  }
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) (void)release(data_);
  }

  T* data() const { return data_; }
  std::size_t size() const { return count_; }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

// What a kernel is launched on; `at` is where a refused launch is reported.
struct Grid {
  std::int64_t blocks = 1;
  int threads = 1;               // of a block
  std::size_t shared_bytes = 0;  // dynamic shared memory of a block
  std::int64_t blocks_y = 1, blocks_z = 1;
  std::source_location at = std::source_location::current();
};

// Enqueues kernel(arguments...). Throws where the device refuses the grid.
template <class... Parameters>
void launch(void (*kernel)(Parameters...), const Grid& grid, StreamHandle stream,
            std::type_identity_t<Parameters>... arguments) {
  if (grid.shared_bytes > default_shared_bytes)
    check(allow_shared_memory(kernel, grid.shared_bytes), grid.at);
  const dim3 blocks(static_cast<unsigned>(grid.blocks), static_cast<unsigned>(grid.blocks_y),
                    static_cast<unsigned>(grid.blocks_z));
  check(enqueue(kernel, blocks, static_cast<unsigned>(grid.threads), grid.shared_bytes, stream,
                arguments...),
        grid.at);
}

}  // namespace steelyard::gpu
