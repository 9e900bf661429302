// SPDX-License-Identifier: Apache-2.0
// What the double of NVML answers; the library hands out the one script there is by nvml_script().
#pragma once

#include <map>
#include <string>
#include <vector>

struct NvmlGpu {
  unsigned milliwatts = 350250, limit_milliwatts = 650000, default_limit_milliwatts = 700000;
  unsigned long long millijoules = 123456789012;
  unsigned sm_megahertz = 1755, memory_megahertz = 2619;
  unsigned celsius = 61;
  unsigned long long uncorrected_errors = 3;
  unsigned ecc = 1, mig = 0;
  unsigned long long clock_events = 0;
  std::vector<unsigned> processes;  // their ids
  unsigned remapped_rows = 0, remap_pending = 0, remap_failed = 0;
  std::map<int, unsigned long long> violation_nanoseconds;  // by nvmlPerfPolicyType_t
};

struct NvmlScript {
  std::map<std::string, int> status;  // by function; those not here succeed
  std::map<std::string, NvmlGpu> gpus = {{"0000:65:00.0", {}}, {"0000:0B:00.0", {}}};
  int sessions = 0;  // nvmlInit_v2 without nvmlShutdown
};
