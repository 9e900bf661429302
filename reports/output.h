// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace steelyard {

// Into the file `output`, at once, or to stdout where it is empty. Throws FileError.
void write_output(const std::string& text, const std::filesystem::path& output);

}  // namespace steelyard
