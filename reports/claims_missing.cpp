// SPDX-License-Identifier: Apache-2.0
#include "reports/claims_missing.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace steelyard {

std::string unmatched(const std::vector<Asked>& asked,
                      const std::vector<std::vector<std::string>>& things) {
  std::vector<std::string> alone, together;
  auto left = things;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Asked& one = asked[i];
    if (one.globs.empty()) continue;
    const auto differs = [&](const auto& thing) { return !matches(one.globs, thing[i]); };
    together.push_back(fmt::format("{} {}", one.what, fmt::join(one.globs, ", ")));
    if (std::ranges::all_of(things, differs)) alone.push_back(together.back());
    std::erase_if(left, differs);
  }
  if (!left.empty()) return "";
  return alone.empty() ? fmt::format("{}", fmt::join(together, " with "))
                       : fmt::format("{}", fmt::join(alone, " and "));
}

}  // namespace steelyard
