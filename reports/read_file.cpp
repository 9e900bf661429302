// SPDX-License-Identifier: Apache-2.0
#include "reports/read_file.h"

#include <cerrno>
#include <fstream>
#include <iterator>
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

std::string read_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) throw cannot_read(path, EISDIR);
  // A device such as /dev/zero would never end.
  if (std::filesystem::is_character_file(status)) {
    throw file_error(path, "is a device", "name a file");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (std::filesystem::is_regular_file(status)) {
    text.resize(std::filesystem::file_size(path, error));
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(file.gcount());
  } else {
    text.assign(std::istreambuf_iterator(file), {});
  }
  if (!file.is_open() || file.bad()) throw cannot_read(path, errno);
  return text;
}

}  // namespace steelyard
