// SPDX-License-Identifier: Apache-2.0
// What lies behind the HIP functions.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/amd_emulator/code_object.h"
#include "tests/amd_emulator/fault.h"
#include "tests/amd_emulator/targets.h"

#ifndef __HIP_PLATFORM_AMD__
#define __HIP_PLATFORM_AMD__
#endif
#include <hip/hip_runtime_api.h>
#undef __noinline__  // a macro of that header's, and an attribute in the standard library's

namespace amd_emulator {

// Runs later; throws Fault.
using Work = std::function<void()>;

// Work in the order it was enqueued: a valid order of the graph that it becomes.
struct Capture {
  std::vector<Work> nodes;
  bool valid = true;  // nothing was called that a capture does not allow
};

// One module of the program: its code for several targets.
struct FatBinary {
  const void* bundle;
  std::map<Target, std::unique_ptr<CodeObject>> loaded;
};
struct HostFunction {
  FatBinary* binary;
  std::string name;
};

struct Runtime {
  std::recursive_mutex mutex;
  std::vector<DeviceModel> devices;
  std::map<const void*, HostFunction> functions;  // by what the host calls them by
  std::vector<std::unique_ptr<ihipStream_t>> streams;
  std::unique_ptr<ihipStream_t> null_stream;
  std::uint64_t enqueued = 0;
  hipError_t lost = hipSuccess;  // what every call returns once a kernel has gone wrong
};

Runtime& runtime();
int current_device();
hipError_t remember(hipError_t error);

// Every function that needs a device: one caller at a time, none once the device is lost.
template <class Function>
hipError_t call(Function function) {
  Runtime& state = runtime();
  const std::lock_guard lock(state.mutex);
  if (state.devices.empty()) return remember(hipErrorNoDevice);
  if (state.lost != hipSuccess) return remember(state.lost);
  const hipError_t error = function();
  return remember(state.lost != hipSuccess ? state.lost : error);
}

// Says on stderr what was wrong.
void complain(const std::string& what);

// Appends work to a stream, or to the graph that it captures.
hipError_t enqueue(hipStream_t stream, Work work);
// Does what was enqueued, on one stream or on all of them.
hipError_t finish(hipStream_t stream);
hipError_t finish_all();
// An error if a stream is being captured: such calls are not allowed meanwhile.
hipError_t forbid_while_capturing();

// The kernel that a host function stands for, on the current device. Null, with the error, where there
// is none.
const Kernel* find_kernel(const void* function, hipError_t& error);

}  // namespace amd_emulator

struct ihipStream_t {
  struct Item {
    std::uint64_t number;  // in the order of all streams
    amd_emulator::Work work;
  };
  bool blocking = true;  // waits for the null stream, and it for this one
  std::deque<Item> queue;
  std::shared_ptr<amd_emulator::Capture> capture;
};
