// SPDX-License-Identifier: Apache-2.0
#include "reports/replace_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include "reports/record.h"
#include "tests/catch.h"
#include "tests/generate_results.h"

using namespace steelyard;
namespace fs = std::filesystem;

namespace {

// An empty folder of this test, gone at the end.
struct Folder {
  fs::path path = make();
  ~Folder() {
    fs::permissions(path, fs::perms::owner_all);
    fs::remove_all(path);
  }

  static fs::path make() {
    std::string pattern = fs::temp_directory_path() / "steelyard-XXXXXX";
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    return pattern;
  }

  std::ptrdiff_t entries() const { return std::distance(fs::directory_iterator(path), {}); }
};

// Files may not grow beyond `bytes`: what writing meets on a full disk.
struct FileSizeLimit {
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
  }

  rlimit before{};
  void (*handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
};

// root may write everywhere: tests of permissions run as nobody.
struct Unprivileged {
  Unprivileged() { REQUIRE((user != 0 || ::seteuid(65534) == 0)); }
  ~Unprivileged() { [[maybe_unused]] const int restored = ::seteuid(user); }

  uid_t user = ::geteuid();
};

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator(file), {}};
}

std::string error_of(const fs::path& path, std::string_view text = "new") {
  try {
    replace_file(path, text);
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a file is made and replaced, and nothing else stays") {
  const Folder folder;
  const auto path = folder.path / "a.json";
  replace_file(path, "old");
  CHECK(content(path) == "old");
  replace_file(path, "");
  CHECK(content(path).empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("a name without a folder is of the current folder") {
  const Folder folder;
  const auto before = fs::current_path();
  fs::current_path(folder.path);
  replace_file("a.json", "text");
  fs::current_path(before);
  CHECK(content(folder.path / "a.json") == "text");
}

TEST_CASE("a disk that fills up leaves the old file and no other") {
  const Folder folder;
  const auto path = folder.path / "a.json";
  replace_file(path, "old");
  std::string message;
  {
    const FileSizeLimit limit(4096);
    message = error_of(path, std::string(100000, 'x'));
  }
  CHECK_THAT(message, ContainsSubstring(path.string() +
                                        ": cannot be written: File too large; free some space"));
  CHECK(content(path) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a folder that may not be written to is named") {
  const Folder folder;
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec |
                                   fs::perms::others_read | fs::perms::others_exec);
  std::string message;
  {
    const Unprivileged nobody;
    message = error_of(folder.path / "a.json");
  }
  CHECK_THAT(message,
             ContainsSubstring("Permission denied; choose a folder that you may write to"));
  CHECK(folder.entries() == 0);
}

TEST_CASE("what cannot be replaced is named with the remedy") {
  const Folder folder;
  fs::create_directory(folder.path / "folder");
  CHECK_THAT(error_of(folder.path / "folder"), ContainsSubstring("Is a directory; name a file"));
  CHECK_THAT(error_of(folder.path / "absent" / "a.json"),
             ContainsSubstring("create the folder first"));
  const auto pipe = folder.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THAT(error_of(pipe), ContainsSubstring("pipe: is not a regular file; name a file"));
  CHECK(fs::is_fifo(pipe));
  CHECK(folder.entries() == 2);
}

TEST_CASE("results come back from the disk") {
  const Folder folder;
  const auto path = folder.path / "results.json";
  const ResultFile file = generate_results(12, 4);
  write_results(path, file);
  CHECK(to_json(read_results(path)) == to_json(file));
}

TEST_CASE("files that cannot be read are named with the remedy") {
  const Folder folder;
  const auto message = [](const fs::path& path) -> std::string {
    try {
      read_results(path);
    } catch (const FileError& error) {
      return error.what();
    }
    return {};
  };
  CHECK_THAT(message(folder.path),
             ContainsSubstring("cannot be read: Is a directory; name a file"));
  CHECK_THAT(message(folder.path / "absent"),
             ContainsSubstring("No such file or directory; check the spelling"));
  CHECK_THAT(message("/dev/zero"), ContainsSubstring("/dev/zero: is a device; name a file"));
  CHECK_THAT(message(folder.path / "line\nbreak"),
             ContainsSubstring(R"(line\nbreak: cannot be read)"));
  const auto secret = folder.path / "secret";
  replace_file(secret, "{}");
  fs::permissions(secret, fs::perms::none);
  fs::permissions(folder.path, fs::perms::all);
  const Unprivileged nobody;
  CHECK_THAT(message(secret),
             ContainsSubstring("Permission denied; name a file that you may read"));
}
