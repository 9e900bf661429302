// SPDX-License-Identifier: Apache-2.0
// A double of NVML: the functions that telemetry calls, with the signatures and statuses of NVIDIA's
// reference manual, answering what a test has written into the script.
#include "tests/doubles/nvml.h"

#include <cstring>

namespace {

NvmlScript script;

using Device = NvmlGpu*;

constexpr int success = 0, invalid_argument = 2, not_found = 6, insufficient_size = 7;

int status(const char* function) {
  const auto found = script.status.find(function);
  return found == script.status.end() ? success : found->second;
}

template <class Number, class Value>
int give(const char* function, Number* out, Value value) {
  if (const int failure = status(function)) return failure;
  *out = static_cast<Number>(value);
  return success;
}

int copy(const char* function, const char* text, char* out, unsigned length) {
  if (const int failure = status(function)) return failure;
  if (std::strlen(text) + 1 > length) return insufficient_size;
  std::strcpy(out, text);
  return success;
}

struct Process {  // nvmlProcessInfo_t
  unsigned pid;
  unsigned long long memory_bytes;
  unsigned gpu_instance, compute_instance;
};

struct Violation {
  unsigned long long reference_microseconds, violation_nanoseconds;
};

}  // namespace

extern "C" {

NvmlScript* nvml_script() {
  return &script;
}

int nvmlInit_v2() {
  const int result = status("nvmlInit_v2");
  if (result == success) ++script.sessions;
  return result;
}
int nvmlShutdown() {
  --script.sessions;
  return success;
}

const char* nvmlErrorString(int result) {
  switch (result) {
    case 3:
      return "Not Supported";
    case 4:
      return "Insufficient Permissions";
    case 6:
      return "Not Found";
    case 9:
      return "Driver Not Loaded";
    case 13:
      return "Function Not Found";
    case 15:
      return "GPU is lost";
    case 18:
      return "Driver/library version mismatch";
    default:
      return "Unknown Error";
  }
}

int nvmlSystemGetDriverVersion(char* version, unsigned length) {
  return copy("nvmlSystemGetDriverVersion", "570.86.15", version, length);
}
int nvmlSystemGetNVMLVersion(char* version, unsigned length) {
  return copy("nvmlSystemGetNVMLVersion", "12.570.86.15", version, length);
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, Device* device) {
  if (const int failure = status("nvmlDeviceGetHandleByPciBusId_v2")) return failure;
  const auto found = script.gpus.find(bus_id);
  if (found == script.gpus.end()) return not_found;
  *device = &found->second;
  return success;
}

int nvmlDeviceGetUUID(Device, char* uuid, unsigned length) {
  return copy("nvmlDeviceGetUUID", "GPU-0c5e4a12-7d1f-9a3b-5c60-d1e2f3a4b5c6", uuid, length);
}
int nvmlDeviceGetVbiosVersion(Device, char* version, unsigned length) {
  return copy("nvmlDeviceGetVbiosVersion", "96.00.89.00.01", version, length);
}

int nvmlDeviceGetClockInfo(Device device, int type, unsigned* megahertz) {
  if (type != 1 && type != 2) return invalid_argument;  // SM and memory
  return give("nvmlDeviceGetClockInfo", megahertz,
              type == 1 ? device->sm_megahertz : device->memory_megahertz);
}
int nvmlDeviceGetMaxClockInfo(Device, int type, unsigned* megahertz) {
  return give("nvmlDeviceGetMaxClockInfo", megahertz, type == 1 ? 1980 : 2620);
}
int nvmlDeviceGetApplicationsClock(Device, int type, unsigned* megahertz) {
  return give("nvmlDeviceGetApplicationsClock", megahertz, type == 1 ? 1410 : 2610);
}

int nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  return give("nvmlDeviceGetPowerUsage", milliwatts, device->milliwatts);
}
int nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned* milliwatts) {
  return give("nvmlDeviceGetEnforcedPowerLimit", milliwatts, device->limit_milliwatts);
}
int nvmlDeviceGetPowerManagementDefaultLimit(Device device, unsigned* milliwatts) {
  return give("nvmlDeviceGetPowerManagementDefaultLimit", milliwatts,
              device->default_limit_milliwatts);
}
int nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules) {
  return give("nvmlDeviceGetTotalEnergyConsumption", millijoules, device->millijoules);
}
int nvmlDeviceGetTemperature(Device device, int sensor, unsigned* celsius) {
  if (sensor != 0) return invalid_argument;
  return give("nvmlDeviceGetTemperature", celsius, device->celsius);
}

int nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned* count, Process* processes) {
  if (const int failure = status("nvmlDeviceGetComputeRunningProcesses_v3")) return failure;
  const auto running = static_cast<unsigned>(device->processes.size());
  const bool fits = running <= *count;
  *count = running;
  if (!fits) return insufficient_size;
  for (unsigned i = 0; i < running; ++i) processes[i] = {device->processes[i], 1 << 20, ~0u, ~0u};
  return success;
}
int nvmlDeviceGetRemappedRows(Device device, unsigned* correctable, unsigned* uncorrectable,
                              unsigned* pending, unsigned* failed) {
  *uncorrectable = 0;
  *pending = device->remap_pending;
  *failed = device->remap_failed;
  return give("nvmlDeviceGetRemappedRows", correctable, device->remapped_rows);
}

int nvmlDeviceGetEccMode(Device device, unsigned* current, unsigned* pending) {
  *pending = 1 - device->ecc;
  return give("nvmlDeviceGetEccMode", current, device->ecc);
}
int nvmlDeviceGetMigMode(Device device, unsigned* current, unsigned* pending) {
  *pending = 1 - device->mig;
  return give("nvmlDeviceGetMigMode", current, device->mig);
}
int nvmlDeviceGetTotalEccErrors(Device device, int type, int counter, unsigned long long* count) {
  const bool volatile_uncorrected = type == 1 && counter == 0;
  return give("nvmlDeviceGetTotalEccErrors", count,
              volatile_uncorrected ? device->uncorrected_errors : 999);
}

int nvmlDeviceGetMaxPcieLinkGeneration(Device, unsigned* generation) {
  return give("nvmlDeviceGetMaxPcieLinkGeneration", generation, 5);
}
int nvmlDeviceGetMaxPcieLinkWidth(Device, unsigned* width) {
  return give("nvmlDeviceGetMaxPcieLinkWidth", width, 16);
}
int nvmlDeviceGetCurrPcieLinkGeneration(Device, unsigned* generation) {
  return give("nvmlDeviceGetCurrPcieLinkGeneration", generation, 1);
}
int nvmlDeviceGetCurrPcieLinkWidth(Device, unsigned* width) {
  return give("nvmlDeviceGetCurrPcieLinkWidth", width, 8);
}

int nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* events) {
  return give("nvmlDeviceGetCurrentClocksEventReasons", events, device->clock_events);
}
int nvmlDeviceGetViolationStatus(Device device, int policy, Violation* violation) {
  violation->reference_microseconds = 1;
  return give("nvmlDeviceGetViolationStatus", &violation->violation_nanoseconds,
              device->violation_nanoseconds[policy]);
}
}
