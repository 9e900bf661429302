// SPDX-License-Identifier: Apache-2.0
// Sides of runs against each other: verdicts, refusals, lists, means and exit codes.
#include "reports/compare.h"

#include <cmath>

#include "reports/compare_tables.h"
#include "reports/exit_code.h"
#include "tests/catch.h"

namespace steelyard {
namespace {

// `runs` around `seconds`, a deviation of 0.1 % apart.
Series made_series(const std::string& row, double seconds, int runs = 5) {
  Series series{.row = row, .metric = "time", .unit = "s"};
  for (int i = 0; i < runs; ++i) series.values.push_back(seconds * (1 + 0.001 * (i % 3 - 1)));
  return series;
}

RunSet side(std::vector<Series> series) {
  return {.name = "side", .series = std::move(series)};
}

const Change& find(const Changes& changes, const std::string& row) {
  const auto found = std::ranges::find_if(
      changes.rows, [&](const Change& change) { return change.candidate->row == row; });
  REQUIRE(found != changes.rows.end());
  return *found;
}

TEST_CASE("rows are judged by their runs and sorted by the size of their change") {
  const RunSet base =
      side({made_series("same", 1), made_series("slower", 1), made_series("faster", 1)});
  const RunSet candidate =
      side({made_series("faster", 0.9), made_series("same", 1), made_series("slower", 1.05)});
  const Changes changes = compare(base, candidate, {});
  REQUIRE(changes.rows.size() == 3);
  CHECK(changes.rows[0].candidate->row == "slower");
  CHECK(changes.rows[2].candidate->row == "faster");
  CHECK(find(changes, "same").finding == Finding::pass);
  CHECK(find(changes, "slower").finding == Finding::regression);
  CHECK(find(changes, "slower").ratio == Approx(1.05));
  CHECK(find(changes, "faster").finding == Finding::improvement);
  CHECK(exit_code(changes, false) == regression);
  CHECK(headline(changes) == "1 of 3 rows regressed; 1 improved; 1 passed.");
}

TEST_CASE("one run a side never passes silently") {
  const RunSet base = side({made_series("row", 1, 1)}),
               candidate = side({made_series("row", 1, 1)});
  const Changes changes = compare(base, candidate, {});
  CHECK(changes.rows[0].finding == Finding::inconclusive);
  CHECK_THAT(changes.rows[0].reason, ContainsSubstring("one run a side"));
  CHECK(exit_code(changes, false) == passed);
  CHECK(exit_code(changes, true) == inconclusive);
  CHECK_THAT(text_of(changes), ContainsSubstring("one run a side"));
}

TEST_CASE("where more is better the ratio turns round") {
  Series base = made_series("BM", 100), candidate = made_series("BM", 80);
  base.metric = candidate.metric = "items_per_second";
  CompareRules rules;
  rules.thresholds.rules = {{.selector = {.metric = "items_per_second"},
                             .higher_is_better = true,
                             .action = Action::gate}};
  const RunSet before = side({base}), after = side({candidate});
  const Changes changes = compare(before, after, rules);
  CHECK(changes.rows[0].ratio == Approx(1.25));
  CHECK(changes.rows[0].finding == Finding::regression);
}

TEST_CASE("noise of the machine raises the floor") {
  const RunSet base = side({made_series("row", 1)}), candidate = side({made_series("row", 1.025)});
  CompareRules rules;
  CHECK(compare(base, candidate, rules).rows[0].finding == Finding::regression);
  rules.noise.rows["row"] = {.runs = 20, .deviation = 0.03};
  const Changes changes = compare(base, candidate, rules);
  CHECK(changes.rows[0].threshold.limits.floor == Approx(2 * 0.03 * std::sqrt(0.4)));
  CHECK(changes.rows[0].finding != Finding::regression);
}

TEST_CASE("warned, tracked and allowed regressions do not fail") {
  const RunSet base = side({made_series("row", 1)}), candidate = side({made_series("row", 1.1)});
  for (const Action action : {Action::warn, Action::track}) {
    CompareRules rules;
    rules.thresholds.rules = {{.action = action}};
    CHECK(exit_code(compare(base, candidate, rules), true) == passed);
  }
  CompareRules rules;
  rules.thresholds.allowed = {{.selector = {.row = "r*"}, .reason = "known"}};
  const Changes changes = compare(base, candidate, rules);
  CHECK(exit_code(changes, true) == passed);
  CHECK(changes.rows[0].verdict() == "regression (allowed)");
}

TEST_CASE("rows whose conditions differ are refused with the field, which can be lifted") {
  Series base = made_series("row", 1), candidate = made_series("row", 1);
  base.conditions = {comparability({{"driver", "1"}, {"host", "a"}})};
  candidate.conditions = {comparability({{"driver", "2"}, {"host", "a"}})};
  const RunSet before = side({base}), after = side({candidate});
  const Changes refused = compare(before, after, {});
  REQUIRE(refused.rows[0].refused.size() == 1);
  CHECK(refused.rows[0].refused[0].field == "driver");
  CHECK(exit_code(refused, false) == incomparable);
  const Changes lifted = compare(before, after, {.allowed_differences = {"driver"}});
  CHECK(lifted.rows[0].finding == Finding::pass);
  CHECK(exit_code(lifted, false) == passed);
  CHECK_THAT(markdown_of(lifted), ContainsSubstring("NOT LIKE WITH LIKE"));
}

TEST_CASE("an identity that differs cannot be lifted") {
  Series base = made_series("row", 1), candidate = made_series("row", 1);
  base.identities = {comparability({{"seed", std::int64_t{1}}})};
  candidate.identities = {comparability({{"seed", std::int64_t{2}}})};
  const RunSet before = side({base}), after = side({candidate});
  const Changes changes = compare(before, after, {.allowed_differences = {"seed"}});
  CHECK(changes.rows[0].verdict() == "refused");
}

TEST_CASE("rows of one side and rows that were not measured are listed, and count") {
  RunSet base = side({made_series("both", 1), made_series("gone", 1), made_series("broken", 1)});
  RunSet candidate = side({made_series("both", 1), made_series("new", 1)});
  candidate.not_measured = {{"broken", Status::incorrect, "error 7"}};
  const Changes changes = compare(base, candidate, {});
  CHECK(changes.added == std::vector<std::string>{"new"});
  CHECK(changes.missing == std::vector<std::string>{"gone"});
  CHECK(exit_code(changes, false) == incorrect_rows);
  candidate.not_measured[0].status = Status::failed;
  CHECK(exit_code(compare(base, candidate, {}), false) == device_error);
  candidate.not_measured[0].status = Status::unsupported;
  CHECK(exit_code(compare(base, candidate, {}), false) == passed);
}

TEST_CASE("sides without a common row are not comparable") {
  const RunSet base = side({made_series("a", 1)}), candidate = side({made_series("b", 1)});
  CHECK(exit_code(compare(base, candidate, {}), false) == incomparable);
}

TEST_CASE("the geometric mean is over the intersection, with an interval for either question") {
  const RunSet base = side({made_series("a", 1), made_series("b", 1), made_series("gone", 1)});
  const RunSet candidate = side({made_series("a", 1.1), made_series("b", 1 / 1.1)});
  const auto mean = compare(base, candidate, {}).mean;
  REQUIRE(mean);
  CHECK(mean->rows == 2);
  CHECK(mean->ratio == Approx(1));
  // The runs are 0.0707 to 0.0837 % apart; the rows 13 %.
  CHECK(mean->this_suite->upper < 1.002);
  // t_0.975 with one degree of freedom is 12.7062; the deviation of +-log 1.1 is 0.134789.
  CHECK(std::log(mean->other_workloads->upper) ==
        Approx(12.7062 * 0.134789 / std::sqrt(2)).epsilon(1e-4));
}

}  // namespace
}  // namespace steelyard
