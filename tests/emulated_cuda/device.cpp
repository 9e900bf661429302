// SPDX-License-Identifier: Apache-2.0
// The devices there are, what they say of themselves, and errors.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "tests/emulated_cuda/block.h"
#include "tests/emulated_cuda/emulation.h"
#include "tests/emulated_cuda/runtime_state.h"

namespace emulated_cuda {
namespace {

constexpr DeviceModel a100 = {
    "emulated NVIDIA A100-SXM4-80GB", 8, 0, 108, 40 << 20, 163 << 10, 164 << 10};
constexpr DeviceModel h200 = {"emulated NVIDIA H200", 9, 0, 132, 50 << 20, 227 << 10, 228 << 10};
constexpr int cuda_version = 13000;

thread_local int selected_device = 0;
thread_local cudaError_t last_error = cudaSuccess;

std::vector<DeviceModel> parse_devices(std::string_view architectures) {
  std::vector<DeviceModel> devices;
  std::istringstream list{std::string(architectures)};
  for (std::string name; std::getline(list, name, ',');) {
    if (name != "sm_80" && name != "sm_90" && name != "none")
      throw std::runtime_error("there is no emulated " + name + "; there are sm_80 and sm_90");
    if (name != "none") devices.push_back(name == "sm_80" ? a100 : h200);
  }
  return devices;
}

void set_devices(Runtime& state, std::string_view architectures) {
  state.devices = parse_devices(architectures);
  state.used_bytes.assign(state.devices.size(), 0);
  for (std::size_t i = 0; i < state.devices.size(); ++i) {
    state.default_streams.push_back(std::make_unique<CUstream_st>());
    state.default_streams.back()->device = static_cast<int>(i);
  }
}

}  // namespace

Runtime& runtime() {
  static Runtime state;
  static const bool started = [] {
    const char* chosen = std::getenv("STEELYARD_EMULATE");
    const char* order = std::getenv("STEELYARD_EMULATE_ORDER");
    set_devices(state, chosen ? chosen : "sm_90");
    reverse_order = order && std::strcmp(order, "reverse") == 0;
    return true;
  }();
  (void)started;
  return state;
}

void restart(std::string_view architectures) {
  Runtime& state = runtime();
  const std::lock_guard lock(state.mutex);
  cudaDeviceReset();
  state.default_streams.clear();
  set_devices(state, architectures);
  selected_device = 0;
  state.memory_limit = Runtime::first_memory_limit;
  std::ranges::fill(state.fail_after, 0);
}

void limit_memory(std::size_t bytes) {
  runtime().memory_limit = bytes;
}

void fail(Failure failure, int nth) {
  runtime().fail_after[static_cast<std::size_t>(failure)] = nth;
}

bool must_fail(Failure failure) {
  int& count = runtime().fail_after[static_cast<std::size_t>(failure)];
  return count > 0 && --count == 0;
}

std::string last_fault() {
  return runtime().last_fault;
}

int current_device() {
  return selected_device;
}
const DeviceModel& current_model() {
  return runtime().devices[static_cast<std::size_t>(selected_device)];
}

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

}  // namespace emulated_cuda

using namespace emulated_cuda;

// Errors of a lost device stay; others are reported once.
cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() {
  return runtime().lost != cudaSuccess ? runtime().lost : last_error;
}

namespace {
struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
#define EMULATED_CUDA_ERROR(error, text) \
  { error, #error, text }
constexpr ErrorText error_texts[] = {
    EMULATED_CUDA_ERROR(cudaSuccess, "no error"),
    EMULATED_CUDA_ERROR(cudaErrorInvalidValue, "invalid argument"),
    EMULATED_CUDA_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    EMULATED_CUDA_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    EMULATED_CUDA_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    EMULATED_CUDA_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    EMULATED_CUDA_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    EMULATED_CUDA_ERROR(cudaErrorNotReady, "device not ready"),
    EMULATED_CUDA_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    EMULATED_CUDA_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    EMULATED_CUDA_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    EMULATED_CUDA_ERROR(cudaErrorNotSupported, "operation not supported"),
    EMULATED_CUDA_ERROR(cudaErrorStreamCaptureUnsupported,
                        "operation not permitted when stream is capturing"),
    EMULATED_CUDA_ERROR(cudaErrorStreamCaptureInvalidated,
                        "operation failed due to a previous error during capture"),
};
#undef EMULATED_CUDA_ERROR
}  // namespace

const char* cudaGetErrorName(cudaError_t error) {
  for (const ErrorText& row : error_texts)
    if (row.error == error) return row.name;
  return "unrecognized error code";
}
const char* cudaGetErrorString(cudaError_t error) {
  for (const ErrorText& row : error_texts)
    if (row.error == error) return row.text;
  return "unrecognized error code";
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = static_cast<int>(runtime().devices.size());
  return call([] { return cudaSuccess; });
}
cudaError_t cudaSetDevice(int device) {
  return call([=] {
    if (device < 0 || device >= static_cast<int>(runtime().devices.size()))
      return cudaErrorInvalidDevice;
    selected_device = device;
    return cudaSuccess;
  });
}
cudaError_t cudaGetDevice(int* device) {
  *device = selected_device;
  return call([] { return cudaSuccess; });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call([=] {
    if (device < 0 || device >= static_cast<int>(runtime().devices.size()))
      return cudaErrorInvalidDevice;
    const DeviceModel& model = runtime().devices[static_cast<std::size_t>(device)];
    *properties = {.totalGlobalMem = runtime().memory_limit,
                   .sharedMemPerBlock = 48 << 10,
                   .sharedMemPerBlockOptin = model.shared_bytes_per_block,
                   .sharedMemPerMultiprocessor = model.shared_bytes_per_multiprocessor,
                   .major = model.major,
                   .minor = model.minor,
                   .multiProcessorCount = model.multiprocessors,
                   .l2CacheSize = model.l2_bytes,
                   .warpSize = 32,
                   .maxThreadsPerBlock = 1024,
                   .maxThreadsPerMultiProcessor = 2048,
                   .regsPerMultiprocessor = 65536,
                   .pciBusID = device + 1};
    std::strncpy(properties->name, model.name, sizeof properties->name - 1);
    std::memset(properties->uuid.bytes, 0xe0 + device, sizeof properties->uuid.bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, device)) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      return *value = properties.maxThreadsPerBlock, cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      return *value = static_cast<int>(properties.sharedMemPerBlock), cudaSuccess;
    case cudaDevAttrWarpSize:
      return *value = properties.warpSize, cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      return *value = properties.multiProcessorCount, cudaSuccess;
    case cudaDevAttrL2CacheSize:
      return *value = properties.l2CacheSize, cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      return *value = properties.major, cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      return *value = properties.minor, cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return *value = static_cast<int>(properties.sharedMemPerBlockOptin), cudaSuccess;
  }
  return remember(cudaErrorInvalidValue);
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = cuda_version;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = cuda_version;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  return call([] {
    if (const cudaError_t error = forbid_while_capturing()) return error;
    return finish_all();
  });
}
// Frees everything and forgets every error.
cudaError_t cudaDeviceReset() {
  Runtime& state = runtime();
  const std::lock_guard lock(state.mutex);
  state.streams.clear();
  for (const auto& stream : state.default_streams) stream->queue.clear();
  state.lost = cudaSuccess;
  while (!state.allocations.empty()) cudaFree(state.allocations.begin()->first);
  while (!state.pinned.empty()) cudaFreeHost(state.pinned.begin()->first);
  state.allowed_shared_bytes.clear();
  state.fail_after = {};
  state.last_fault.clear();
  state.lost = last_error = cudaSuccess;
  return cudaSuccess;
}
