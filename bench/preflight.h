// SPDX-License-Identifier: Apache-2.0
// Is this machine fit to be measured? What is asked before the first row.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "reports/record.h"

namespace steelyard {

// One question about a device: what was found, or why it is not known; and what is wrong with it.
struct Check {
  std::string device, name;
  std::string value, reason;  // one of them is empty
  std::string warning;        // empty: as it should be, or not known
};

// Of GPUs: other processes and foreign memory, memory errors and replaced rows, PCIe width, power
// cap, clocks, partitions, NUMA, heat. Of CPUs: load, governor, NUMA, limits of the container, heat.
std::vector<Check> preflight(std::span<Device* const> devices);

Fields fields(const Check& check);

}  // namespace steelyard
