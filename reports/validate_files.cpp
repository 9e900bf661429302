// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>

#include "reports/commands.h"
#include "reports/exit_code.h"
#include "reports/record.h"
#include "reports/render.h"
#include "reports/validate.h"

namespace steelyard {
namespace {

bool conforms(const std::filesystem::path& file) try {
  const auto faults = validate(file);
  if (faults.empty())
    read_results(file);  // keys, row names and numbers, of which a schema knows nothing
  for (const auto& fault : faults) complain(fmt::format("{}: {}", file.string(), fault));
  return faults.empty();
} catch (const FileError& error) {
  complain(error.what());
  return false;
}

}  // namespace

int validate_files(const std::vector<std::filesystem::path>& files) {
  int result = passed;
  for (const auto& file : files) {
    if (conforms(file))
      std::printf("%s: conforms\n", printable(file.string()).c_str());
    else
      result = usage_error;
  }
  return result;
}

}  // namespace steelyard
