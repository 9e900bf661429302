// SPDX-License-Identifier: Apache-2.0
// What a reader must know of the machine, the build and the settings to repeat a measurement.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"
#include "bench/command_line.h"
#include "reports/record.h"

namespace steelyard {

Context capture_environment(const std::string& family, const Options& options,
                            std::span<const std::unique_ptr<Device>> devices, int argc,
                            char** argv);

// With --anonymise a name becomes the start of its SHA-256.
std::string host_name(const Options& options);

// "20261125T150210Z"
std::string utc_stamp();

// Class B of design: two rows that differ here may be reported side by side, not gated.
Fields conditions_of(const DeviceInfo& info, const Options& options, const std::string& libraries,
                     int launches);

}  // namespace steelyard
