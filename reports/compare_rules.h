// SPDX-License-Identifier: Apache-2.0
// What compare and gate have in common on the command line.
#pragma once

#include <string>
#include <string_view>

#include "reports/commands.h"
#include "reports/compare.h"

namespace steelyard {

CompareRules read_rules(const CompareOptions& options);  // throws FileError

// In one of the formats of CompareOptions.
std::string written(const Changes& changes, std::string_view format);

}  // namespace steelyard
