// SPDX-License-Identifier: Apache-2.0
// What the operating system says about this machine and what of it this process may use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/cpu/package_energy.h"

namespace steelyard::cpu {

// One logical CPU per core that the affinity mask allows, no more of them than the cgroup's quota.
std::vector<int> usable_cpus();

// Sum of the distinct last-level caches behind these CPUs; 0 when the system does not tell.
std::int64_t last_level_cache_bytes(const std::vector<int>& cpus);
// Where it does not, as on some virtual machines: twice what most core complexes have. The device
// says so in a fact, and a cache policy that this misleads does not pass its test.
constexpr std::int64_t assumed_last_level_cache_bytes = std::int64_t{64} << 20;

std::int64_t total_memory();
// The smaller of MemAvailable and what the cgroups leave, and what this process keeps of large blocks.
std::int64_t available_memory();

DeviceInfo describe_machine(const std::vector<int>& cpus);
Telemetry read_sensors(const std::vector<int>& cpus, PackageEnergy& energy);

}  // namespace steelyard::cpu
