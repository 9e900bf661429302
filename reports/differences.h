// SPDX-License-Identifier: Apache-2.0
// In which fields the comparabilities of several columns differ.
#pragma once

#include <string>
#include <vector>

#include "reports/record.h"

namespace steelyard {

struct Difference {
  std::string field;
  std::vector<std::string> values;  // by column; "-" where a column is empty
  int rows = 1;                     // that differ in this way
};

// `columns` holds the comparabilities of each column's runs. A column whose runs disagree differs
// too.
std::vector<Difference> differences(
    const std::vector<std::vector<std::shared_ptr<const Comparability>>>& columns);

// "2.5", "true", "text"; null is "unknown".
std::string text_of(const Scalar& scalar);

}  // namespace steelyard
