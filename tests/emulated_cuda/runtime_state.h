// SPDX-License-Identifier: Apache-2.0
// What lies behind the emulated runtime's functions.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/emulated_cuda/emulation.h"
#include "tests/emulated_cuda/runtime_api.h"

namespace emulated_cuda {

struct DeviceModel {
  const char* name;
  int major, minor;
  int multiprocessors;
  int l2_bytes;
  std::size_t shared_bytes_per_block, shared_bytes_per_multiprocessor;
};

using Work = std::function<cudaError_t()>;

// Work in the order it was enqueued: a valid order of the graph that it becomes.
struct Capture {
  std::vector<Work> nodes;
  cudaError_t error = cudaSuccess;  // of something that a capture does not allow
};

struct Allocation {
  std::size_t bytes;
  int device;
};

struct Runtime {
  std::recursive_mutex mutex;
  std::vector<DeviceModel> devices;
  static constexpr std::size_t first_memory_limit = std::size_t{4} << 30;
  std::size_t memory_limit = first_memory_limit;
  std::vector<std::size_t> used_bytes;  // by device
  std::map<std::byte*, Allocation> allocations;
  std::map<std::byte*, std::size_t> pinned;
  std::vector<std::unique_ptr<CUstream_st>> streams;
  std::vector<std::unique_ptr<CUstream_st>> default_streams;  // by device
  std::map<const void*, int> allowed_shared_bytes;            // by kernel
  std::uint64_t enqueued = 0;
  cudaError_t lost = cudaSuccess;      // what every call returns once a kernel has gone wrong
  std::array<int, 3> fail_after = {};  // by Failure; 0: never
  std::string last_fault;
};

Runtime& runtime();
// Whether the call has come that a failure was asked for.
bool must_fail(Failure failure);
int current_device();
const DeviceModel& current_model();

// Every function of the interface: one caller at a time, none once the device is lost.
cudaError_t remember(cudaError_t error);
template <class Function>
cudaError_t call(Function function) {
  const std::lock_guard lock(runtime().mutex);
  if (runtime().devices.empty()) return remember(cudaErrorNoDevice);
  if (runtime().lost != cudaSuccess) return remember(runtime().lost);
  const cudaError_t error = function();
  return remember(runtime().lost != cudaSuccess ? runtime().lost : error);
}

// Appends work to a stream, or to the graph that it captures.
cudaError_t enqueue(cudaStream_t stream, Work work);
// Does what was enqueued on a stream, or on all streams of the current device.
cudaError_t finish(cudaStream_t stream);
cudaError_t finish_all();
// An error if a stream is being captured: such calls are not allowed meanwhile.
cudaError_t forbid_while_capturing();

// Device memory can be touched while one of these lives: by the runtime, not by the host's code.
// Only the address sanitizer tells the difference.
class MemoryAccess {
 public:
  MemoryAccess();
  ~MemoryAccess();
};

}  // namespace emulated_cuda

struct CUstream_st {
  struct Item {
    std::uint64_t number;  // in the order of all streams
    emulated_cuda::Work work;
  };
  int device = 0;
  bool blocking = true;  // waits for the default stream, and it for this one
  std::deque<Item> queue;
  std::shared_ptr<emulated_cuda::Capture> capture;
};
