// SPDX-License-Identifier: Apache-2.0
// What a reader must know of the machine, the build and the settings to repeat a measurement.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"
#include "bench/calibrate.h"
#include "bench/command_line.h"
#include "bench/preflight.h"
#include "reports/record.h"

namespace steelyard {

// What was found out about the devices before the first row.
struct Inspection {
  std::vector<Check> checks;
  Calibrations calibrations;
};

Context capture_environment(const std::string& family, const Options& options,
                            std::span<const std::unique_ptr<Device>> devices,
                            const Inspection& inspection, int argc, char** argv);

// With --anonymise a name becomes the start of its SHA-256.
std::string host_name(const Options& options);

// "20261125T150210Z"
std::string utc_stamp();

// Class B of design: two rows that differ here may be reported side by side, not gated.
// `devices` are those that the row is measured on, together.
Fields conditions_of(std::span<Device* const> devices, const Options& options,
                     const std::string& libraries, int launches);

}  // namespace steelyard
