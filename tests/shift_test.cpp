// SPDX-License-Identifier: Apache-2.0
#include "reports/shift.h"

#include <cmath>

#include "tests/catch.h"

namespace steelyard {
namespace {

// scipy.stats.ttest_ind([log 10.2 log 10.4 log 10.1], [log 9.9 log 10.0 log 10.1 log 9.8],
// alternative="greater") gives these values; intervals from the same t.
const std::vector<double> base = {9.9, 10.0, 10.1, 9.8}, slower = {10.2, 10.4, 10.1};

TEST_CASE("a shift is the pooled-variance t of the logarithms") {
  const Shift found = shift(base, slower);
  CHECK(found.base_runs == 4);
  CHECK(found.candidate_runs == 3);
  CHECK(found.degrees_of_freedom == 5);
  CHECK(found.log_ratio / found.standard_error == Approx(2.66775591));
  CHECK(found.p_above(1) == Approx(0.0222340219));
  CHECK(found.ratio() == Approx(1.02846449));
  CHECK(found.ci95().lower == Approx(1.00102287));
  CHECK(found.ci95().upper == Approx(1.05665838));
}

TEST_CASE("the p-value of a bound above the ratio is large") {
  const Shift found = shift(base, slower);
  CHECK(found.p_above(found.ratio()) == Approx(0.5));
  CHECK(found.p_above(1.2) > 0.999);
}

TEST_CASE("runs that do not differ at all decide without a deviation") {
  const std::vector<double> one = {1, 1}, same = {1, 1}, more = {1.1, 1.1};
  CHECK(judge(shift(one, same), {}, 0.01) == Finding::pass);
  CHECK(judge(shift(one, more), {}, 0.01) == Finding::regression);
  CHECK(judge(shift(more, one), {}, 0.01) == Finding::improvement);
}

TEST_CASE("smallest detectable changes are multiples of the deviation") {
  // (t_.99 + t_.95) sqrt(2 / R) of 2R - 2 degrees of freedom.
  CHECK(std::log1p(smallest_detectable(0.01, 5)) == Approx(0.0301).margin(0.0001));
  CHECK(std::log1p(smallest_detectable(0.01, 10)) == Approx(0.0192).margin(0.0001));
  CHECK(std::log1p(smallest_detectable(0.01, 15)) == Approx(0.0152).margin(0.0001));
}

TEST_CASE("a change between floor and target is neither passed nor called") {
  const std::vector<double> steady = {1.000, 1.001, 0.999, 1.000, 1.001};
  const auto scaled = [&](double by, double spread) {
    std::vector<double> runs;
    for (const double run : steady) runs.push_back(by * (1 + spread * (run - 1)));
    return runs;
  };
  CHECK(judge(shift(steady, scaled(1.01, 1)), {}, 0.004) == Finding::pass);  // below the floor
  CHECK(judge(shift(steady, scaled(1.02, 1)), {}, 0.004) == Finding::regression);
  CHECK(judge(shift(steady, scaled(1.02, 40)), {}, 0.004) == Finding::inconclusive);
  CHECK(judge(shift(steady, scaled(1 / 1.02, 1)), {}, 0.004) == Finding::improvement);
  CHECK(judge(shift(steady, scaled(1.02, 1)), {.target = 0.05, .floor = 0.03}, 0.004) ==
        Finding::pass);
}

TEST_CASE("a shift needs a run on either side and one more") {
  CHECK_THROWS_AS(shift(std::vector{1.0}, std::vector{1.0}), std::logic_error);
  CHECK_THROWS_AS(shift(std::vector<double>(), base), std::logic_error);
  CHECK(shift(std::vector{10.0}, slower).degrees_of_freedom == 2);
}

}  // namespace
}  // namespace steelyard
