// SPDX-License-Identifier: Apache-2.0
#include "reports/results.h"

#include <algorithm>
#include <system_error>

#include "reports/file_error.h"
#include "reports/open_file.h"
#include "reports/sha256.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".json") found.push_back(entry->path());
  if (error)
    throw file_error(folder, "cannot be listed: " + error.message(),
                     "choose a folder that you may read");
  if (found.empty())
    throw file_error(folder, "holds no result files (*.json)",
                     "name a folder that steelyard run has written, or a file");
  std::sort(found.begin(), found.end());
  return found;
}

// A pipe's bytes are gone once they were read.
Origin origin(const fs::path& file) {
  std::error_code none;
  const bool can_be_read_again = fs::is_regular_file(file, none);
  return {file.string(), can_be_read_again ? sha256(text_of_file(file)) : ""};
}

}  // namespace

std::vector<fs::path> result_files(const fs::path& path) {
  std::error_code none;
  return fs::is_directory(path, none) ? files_of(path) : std::vector{path};
}

Results load_results(const fs::path& path) {
  Results results{.name = path.string()};
  for (const auto& file : result_files(path)) {
    ResultFile& read = results.files.emplace_back(read_results(file));
    read.origin = std::make_shared<Origin>(origin(file));
    for (Record& row : read.records) row.origin = read.origin;
  }
  return results;
}

}  // namespace steelyard
