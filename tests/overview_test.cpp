// SPDX-License-Identifier: Apache-2.0
#include "reports/overview.h"

#include <algorithm>

#include "tests/catch.h"
#include "tests/made_results.h"

namespace steelyard {
namespace {

TEST_CASE("the overview says what was wrong with a device, and nothing where nothing was") {
  Results results = made_results("alpha", {made({})});
  const auto line = [&]() -> std::string {
    const Table table = overview({&results, 1});
    const auto found = std::ranges::find(table.rows, "warnings", [](auto& row) { return row[0]; });
    return found == table.rows.end() ? "" : found->at(1);
  };
  auto& preflight = results.files.front().context.preflight;
  preflight = {{{"device", "cuda:0"}, {"check", "power_cap_watts"}, {"value", "700"}}};
  CHECK(line().empty());
  preflight.push_back({{"device", "cuda:0"},
                       {"check", "other_processes"},
                       {"value", "2"},
                       {"warning", "2 other processes compute on it"}});
  CHECK(line() == "cuda:0: 2 other processes compute on it");
}

}  // namespace
}  // namespace steelyard
