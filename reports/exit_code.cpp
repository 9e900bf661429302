// SPDX-License-Identifier: Apache-2.0
#include "reports/exit_code.h"

#include <algorithm>
#include <array>

namespace steelyard {

int stronger(int a, int b) {
  static constexpr std::array order = {passed,       inconclusive,   regression,  incomparable,
                                       device_error, incorrect_rows, usage_error, interrupted};
  const auto rank = [](int code) { return std::ranges::find(order, code) - order.begin(); };
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace steelyard
