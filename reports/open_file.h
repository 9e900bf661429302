// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <istream>

namespace steelyard {

// Lets `use` read a file or a pipe from its start. Throws FileError where it cannot be read.
void with_file(const std::filesystem::path& path, const std::function<void(std::istream&)>& use);

}  // namespace steelyard
