// SPDX-License-Identifier: Apache-2.0
// The shell command that measures one row again.
#pragma once

#include <string>

#include "bench/command_line.h"

namespace steelyard {

std::string reproduce_command(const std::string& program, const Options& options,
                              const std::string& key);

}  // namespace steelyard
