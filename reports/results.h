// SPDX-License-Identifier: Apache-2.0
// What one argument of a report names: a result file, or all result files of a folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reports/record.h"

namespace steelyard {

struct Results {
  std::string name;  // the path as it was given
  std::vector<ResultFile> files;
};

// The file that `path` names, or the JSON files of that folder by name. Throws FileError, also for
// a folder without any.
std::vector<std::filesystem::path> result_files(const std::filesystem::path& path);

// With the origin of each row. Throws FileError.
Results load_results(const std::filesystem::path& path);

}  // namespace steelyard
