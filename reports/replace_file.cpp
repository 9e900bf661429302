// SPDX-License-Identifier: Apache-2.0
#include "reports/replace_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "reports/file_error.h"

namespace steelyard {
namespace {

std::string_view remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space or choose another folder";
    case ENOENT:
    case ENOTDIR:
      return "create the folder first";
    case EISDIR:
      return "name a file, not a folder";
    default:
      return "choose a folder that you may write to";
  }
}

FileError cannot_write(const std::filesystem::path& path, int error) {
  return file_error(path, "cannot be written: " + std::generic_category().message(error),
                    remedy(error));
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (open()) ::close(value_);
  }

  bool open() const { return value_ >= 0; }
  bool flush() const { return ::fsync(value_) == 0; }

  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(value_, text.data(), text.size());
      if (count < 0 && errno != EINTR) return false;
      if (count > 0) text.remove_prefix(count);
    }
    return true;
  }

 private:
  int value_;
};

// The error number of what failed, 0 when nothing did.
int write_whole(const std::filesystem::path& path, std::string_view text) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  return file.open() && file.write(text) && file.flush() ? 0 : errno;
}

// A rename is on the disk once its folder is; some file systems cannot flush folders, which then is
// no failure of the write.
void flush_folder(const std::filesystem::path& path) {
  const Descriptor folder(path.has_parent_path() ? path.parent_path() : ".",
                          O_RDONLY | O_DIRECTORY);
  if (folder.open()) folder.flush();
}

}  // namespace

void replace_file(const std::filesystem::path& path, std::string_view text) {
  std::error_code none;
  const auto status = std::filesystem::status(path, none);
  if (std::filesystem::is_directory(status)) throw cannot_write(path, EISDIR);
  // Renaming over /dev/null would take the device away from everyone.
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw file_error(path, "is not a regular file", "name a file");
  }
  auto temporary = path;
  temporary += fmt::format(".{}.tmp", ::getpid());
  int error = write_whole(temporary, text);
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    throw cannot_write(path, error);
  }
  flush_folder(path);
}

}  // namespace steelyard
