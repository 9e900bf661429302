// SPDX-License-Identifier: Apache-2.0
#include "reports/natural_order.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace steelyard {
namespace {

// Each text comes before all that follow it, and none before itself.
void check_ascending(const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t j = 0; j < texts.size(); ++j) {
      INFO(texts[i] << " and " << texts[j]);
      CHECK(natural_less(texts[i], texts[j]) == (i < j));
    }
}

TEST_CASE("numbers are ordered by their size") {
  check_ascending({"", "1x1", "2x1", "2x10", "10x1", "a", "a2", "a2b", "a10"});
}

TEST_CASE("sizes are ordered by their bytes") {
  check_ascending({"chase/512B", "chase/4KiB", "chase/16KiB", "chase/1MiB", "chase/1025KiB",
                   "chase/4MiB", "chase/1GiB", "chase/2TiB"});
}

TEST_CASE("texts that differ only in leading zeros still have an order") {
  check_ascending({"a01", "a1", "a02"});
}

TEST_CASE("numbers beyond any integer type are ordered") {
  check_ascending({"9", "18446744073709551616", "18446744073709551617", "1" + std::string(400, '0'),
                   "2" + std::string(400, '0')});
}

}  // namespace
}  // namespace steelyard
