// SPDX-License-Identifier: Apache-2.0
// A double of the NVML of an old driver, which lacks most functions.
extern "C" {

int nvmlInit_v2() {
  return 0;
}
int nvmlShutdown() {
  return 0;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char*, void** device) {
  static int gpu;
  *device = &gpu;
  return 0;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 250000;
  return 0;
}
int nvmlDeviceGetTotalEnergyConsumption(void*, unsigned long long*) {
  return 3;  // not supported; there is no nvmlErrorString to say so
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* reasons) {
  *reasons = 0x4;
  return 0;
}
}
