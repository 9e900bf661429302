// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace steelyard {

// The bytes of a file or a pipe. Throws FileError.
std::string read_file(const std::filesystem::path& path);

}  // namespace steelyard
