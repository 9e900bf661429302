// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <istream>
#include <string>

namespace steelyard {

// Lets `use` read a file or a pipe from its start. Throws FileError where it cannot be read.
void with_file(const std::filesystem::path& path, const std::function<void(std::istream&)>& use);

// All of it.
std::string text_of_file(const std::filesystem::path& path);

}  // namespace steelyard
