// SPDX-License-Identifier: Apache-2.0
// The devices there are, what they say of themselves, and errors.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/amd_emulator/memory.h"
#include "tests/amd_emulator/runtime.h"
#include "tests/amd_emulator/wave.h"

namespace amd_emulator {
namespace {

constexpr int emulated_version = 60400000;  // HIP 6.4

thread_local int selected_device = 0;
thread_local hipError_t last_error = hipSuccess;

std::vector<DeviceModel> chosen_devices() {
  const char* names = std::getenv("STEELYARD_EMULATE");
  try {
    return parse_devices(names == nullptr ? "gfx942" : names);
  } catch (const Fault& fault) {
    complain(fault.what());
    return {};
  }
}

}  // namespace

Runtime& runtime() {
  // Never destroyed: static objects of the program use it until the very end.
  static Runtime& state = *[] {
    auto* made = new Runtime;
    made->devices = chosen_devices();
    made->null_stream = std::make_unique<ihipStream_t>();
    std::size_t least = ~std::size_t{0};
    for (const DeviceModel& model : made->devices) least = std::min(least, model.memory_bytes);
    set_capacity(least);
    return made;
  }();
  return state;
}

int current_device() {
  return selected_device;
}

hipError_t remember(hipError_t error) {
  if (error != hipSuccess && error != hipErrorNotReady) last_error = error;
  return error;
}

void complain(const std::string& what) {
  fmt::print(stderr, "amd_emulator: {}\n", what);
}

}  // namespace amd_emulator

using namespace amd_emulator;

namespace {

bool is_device(int device) {
  return device >= 0 && device < static_cast<int>(runtime().devices.size());
}

struct ErrorText {
  hipError_t error;
  const char *name, *text;
};
#define EMULATED_ERROR(error, text) \
  { error, #error, text }
constexpr ErrorText error_texts[] = {
    EMULATED_ERROR(hipSuccess, "no error"),
    EMULATED_ERROR(hipErrorInvalidValue, "invalid argument"),
    EMULATED_ERROR(hipErrorOutOfMemory, "out of memory"),
    EMULATED_ERROR(hipErrorInvalidConfiguration, "invalid configuration argument"),
    EMULATED_ERROR(hipErrorInvalidDeviceFunction, "invalid device function"),
    EMULATED_ERROR(hipErrorNoDevice, "no ROCm-capable device is detected"),
    EMULATED_ERROR(hipErrorInvalidDevice, "invalid device ordinal"),
    EMULATED_ERROR(hipErrorNoBinaryForGpu,
                   "no kernel image is available for execution on the device"),
    EMULATED_ERROR(hipErrorInvalidHandle, "invalid resource handle"),
    EMULATED_ERROR(hipErrorNotReady, "device not ready"),
    EMULATED_ERROR(hipErrorLaunchFailure, "unspecified launch failure"),
    EMULATED_ERROR(hipErrorNotSupported, "operation not supported"),
    EMULATED_ERROR(hipErrorStreamCaptureUnsupported,
                   "operation not permitted when stream is capturing"),
    EMULATED_ERROR(hipErrorStreamCaptureInvalidated,
                   "operation failed due to a previous error during capture"),
    EMULATED_ERROR(hipErrorIllegalState, "the operation cannot be performed in the present state"),
};
#undef EMULATED_ERROR

const ErrorText& text_of(hipError_t error) {
  static constexpr ErrorText unknown = {hipErrorUnknown, "hipErrorUnknown", "unknown error"};
  const auto* found = std::ranges::find(error_texts, error, &ErrorText::error);
  return found == std::end(error_texts) ? unknown : *found;
}

}  // namespace

extern "C" {

hipError_t hipGetDeviceCount(int* count) {
  *count = static_cast<int>(runtime().devices.size());
  return call([] { return hipSuccess; });
}
hipError_t hipSetDevice(int device) {
  return call([=] {
    if (!is_device(device)) return hipErrorInvalidDevice;
    selected_device = device;
    return hipSuccess;
  });
}
hipError_t hipGetDevice(int* device) {
  *device = selected_device;
  return call([] { return hipSuccess; });
}

hipError_t hipGetDevicePropertiesR0600(hipDeviceProp_tR0600* properties, int device) {
  return call([=] {
    if (!is_device(device)) return hipErrorInvalidDevice;
    const DeviceModel& model = runtime().devices[static_cast<std::size_t>(device)];
    std::memset(properties, 0, sizeof(*properties));
    std::strncpy(properties->name, model.name, sizeof(properties->name) - 1);
    std::strncpy(properties->gcnArchName, model.architecture, sizeof(properties->gcnArchName) - 1);
    const std::string uuid = fmt::format("emulated{:08x}", device);
    std::memcpy(properties->uuid.bytes, uuid.data(), sizeof(properties->uuid.bytes));
    properties->totalGlobalMem = model.memory_bytes;
    properties->sharedMemPerBlock = local_bytes_per_workgroup;
    properties->sharedMemPerMultiprocessor = local_bytes_per_workgroup;
    properties->regsPerBlock = properties->regsPerMultiprocessor = 65536;
    properties->warpSize = lanes;
    properties->maxThreadsPerBlock = most_threads_per_workgroup;
    std::ranges::fill(properties->maxThreadsDim, most_threads_per_workgroup);
    std::ranges::fill(properties->maxGridSize, 65535);
    properties->maxGridSize[0] = 0x7fffffff;
    properties->maxThreadsPerMultiProcessor = 2048;
    properties->multiProcessorCount = model.compute_units;
    properties->clockRate = model.clock_khz;
    properties->memoryClockRate = model.memory_clock_khz;
    properties->memoryBusWidth = model.memory_bus_bits;
    properties->l2CacheSize = model.l2_bytes;
    properties->major = 9;
    properties->minor = model.target == Target::gfx90a ? 0 : 4;
    properties->pciBusID = device + 1;  // the dies of an MI250 have one each
    properties->concurrentKernels = properties->unifiedAddressing = 1;
    return hipSuccess;
  });
}
hipError_t hipDriverGetVersion(int* version) {
  *version = emulated_version;
  return hipSuccess;
}
hipError_t hipRuntimeGetVersion(int* version) {
  *version = emulated_version;
  return hipSuccess;
}
hipError_t hipDeviceSynchronize() {
  return call([] {
    const hipError_t error = forbid_while_capturing();
    return error != hipSuccess ? error : finish_all();
  });
}

// Errors of a lost device stay; others are reported once.
hipError_t hipPeekAtLastError() {
  return runtime().lost != hipSuccess ? runtime().lost : last_error;
}
hipError_t hipGetLastError() {
  const hipError_t error = hipPeekAtLastError();
  last_error = hipSuccess;
  return error;
}
const char* hipGetErrorName(hipError_t error) {
  return text_of(error).name;
}
const char* hipGetErrorString(hipError_t error) {
  return text_of(error).text;
}

// What the stubs of all other functions call.
hipError_t amd_emulator_lacks(const char* function) {
  complain(fmt::format("{} is not emulated", function));
  return remember(hipErrorNotSupported);
}

}  // extern "C"
