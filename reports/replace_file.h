// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace steelyard {

// Puts `text` in the place of `path` at once: whoever opens it sees the whole old or the whole new
// file, also after a kill or a power cut. Throws FileError and leaves the old file as it was.
void replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace steelyard
