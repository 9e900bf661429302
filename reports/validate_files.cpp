// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>

#include "reports/commands.h"
#include "reports/render.h"
#include "reports/validate.h"

namespace steelyard {

int validate_files(const std::vector<std::filesystem::path>& files) {
  constexpr int conforms = 0, schema_error = 2;
  int result = conforms;
  for (const auto& file : files) try {
      const auto faults = validate(file);
      for (const auto& fault : faults) complain(fmt::format("{}: {}", file.string(), fault));
      if (!faults.empty())
        result = schema_error;
      else
        std::printf("%s: conforms\n", printable(file.string()).c_str());
    } catch (const FileError& error) {
      complain(error.what());
      result = schema_error;
    }
  return result;
}

}  // namespace steelyard
