// SPDX-License-Identifier: Apache-2.0
// Which globs of a claim match nothing, by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/glob.h"

namespace steelyard {

struct Asked {
  std::string_view what;  // "tier"
  Globs globs;
};

// Each thing has a text for each that is asked. "gpu MI300X and vendor AMD" where nothing has either, "gpu
// MI300X with vendor AMD" where nothing has both; empty where something has all.
std::string unmatched(const std::vector<Asked>& asked,
                      const std::vector<std::vector<std::string>>& things);

}  // namespace steelyard
