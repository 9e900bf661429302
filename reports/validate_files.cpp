// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>

#include "reports/commands.h"
#include "reports/record.h"
#include "reports/render.h"
#include "reports/validate.h"

namespace steelyard {
namespace {

bool conforms(const std::filesystem::path& file) try {
  const auto faults = validate(file);
  for (const auto& fault : faults) complain(fmt::format("{}: {}", file.string(), fault));
  return faults.empty();
} catch (const FileError& error) {
  complain(error.what());
  return false;
}

}  // namespace

int validate_files(const std::vector<std::filesystem::path>& files) {
  constexpr int schema_error = 2;
  int result = 0;
  for (const auto& file : files) {
    if (conforms(file))
      std::printf("%s: conforms\n", printable(file.string()).c_str());
    else
      result = schema_error;
  }
  return result;
}

}  // namespace steelyard
