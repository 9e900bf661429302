// SPDX-License-Identifier: Apache-2.0
// How a FileError is worded.
#pragma once

#include <string_view>

#include "reports/record.h"

namespace steelyard {

// "FILE: what; remedy" in one line, whatever bytes the parts hold.
FileError file_error(const std::filesystem::path& file, std::string_view what,
                     std::string_view remedy);

// Of a JSON parser's message, which holds the line and the column.
FileError syntax_error(const std::filesystem::path& file, std::string_view message);

}  // namespace steelyard
