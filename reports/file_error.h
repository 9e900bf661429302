// SPDX-License-Identifier: Apache-2.0
// How errors in files are worded.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "reports/record.h"

namespace steelyard {

// Text of unknown origin in one line: escaped as in JSON, and cut where a reader would stop.
std::string one_line(std::string_view text);

// One step of a JSON pointer (RFC 6901): "/name".
std::string pointer_step(std::string_view name);

// "FILE: what; remedy" in one line, whatever bytes the parts hold.
FileError file_error(const std::filesystem::path& file, std::string_view what,
                     std::string_view remedy);

// Of a JSON parser's message, which holds the line and the column.
FileError syntax_error(const std::filesystem::path& file, std::string_view message);

}  // namespace steelyard
