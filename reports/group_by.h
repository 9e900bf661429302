// SPDX-License-Identifier: Apache-2.0
// Result sets put together by a label that their runs were given.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/results.h"

namespace steelyard {

// The files of all results that have one value of `--label KEY=VALUE` make one, "KEY VALUE"; those without
// the label are the last. `what` is "label.KEY". Throws std::invalid_argument, also where no file has it.
std::vector<Results> grouped(std::span<const Results> results, const std::string& what);

}  // namespace steelyard
