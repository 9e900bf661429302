// SPDX-License-Identifier: Apache-2.0
#include "reports/glob.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>

namespace steelyard {

bool matches(const std::string& glob, const std::string& text) {
  return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

bool matches(const Globs& globs, const std::string& text) {
  return globs.empty() ||
         std::ranges::any_of(globs, [&](const std::string& glob) { return matches(glob, text); });
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace steelyard
