// SPDX-License-Identifier: Apache-2.0
// Result files against their published contract, schema.json, which is compiled in.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace steelyard {

std::string_view schema();  // the text of schema.json

// What a file has against the schema, each as "POINTER: message" in one line; nothing when it
// conforms. Throws FileError where it cannot be read or is not JSON.
std::vector<std::string> validate(const std::filesystem::path& path);

}  // namespace steelyard
