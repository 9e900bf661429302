// SPDX-License-Identifier: Apache-2.0
#include "reports/open_file.h"

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "reports/file_error.h"

namespace steelyard {
namespace {

FileError cannot_read(const std::filesystem::path& path, int error) {
  const bool absent = error == ENOENT || error == ENOTDIR;
  return file_error(path, "cannot be read: " + std::generic_category().message(error),
                    absent ? "check the spelling" : "name a file that you may read");
}

}  // namespace

void with_file(const std::filesystem::path& path, const std::function<void(std::istream&)>& use) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status)) throw cannot_read(path, EISDIR);
  // A device such as /dev/zero would never end.
  if (std::filesystem::is_character_file(status)) {
    throw file_error(path, "is a device", "name a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw cannot_read(path, errno);
  file.exceptions(std::ios::badbit);
  try {
    use(file);
  } catch (const std::ios_base::failure&) {
    throw cannot_read(path, EIO);
  }
}

std::string text_of_file(const std::filesystem::path& path) {
  std::string text;
  with_file(path, [&](std::istream& stream) {
    std::array<char, 1 << 16> block;
    while (stream.read(block.data(), block.size()) || stream.gcount() > 0)
      text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  });
  return text;
}

}  // namespace steelyard
