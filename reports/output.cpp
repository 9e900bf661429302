// SPDX-License-Identifier: Apache-2.0
#include "reports/output.h"

#include <cstdio>

#include "reports/file_error.h"
#include "reports/replace_file.h"

namespace steelyard {

void write_output(const std::string& text, const std::filesystem::path& output) {
  if (!output.empty()) return replace_file(output, text);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) != 0 || !written)
    throw file_error("stdout", "cannot be written", "free some space or name a file with -o");
}

}  // namespace steelyard
