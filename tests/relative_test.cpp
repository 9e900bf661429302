// SPDX-License-Identifier: Apache-2.0
#include "reports/relative.h"

#include <cmath>
#include <stdexcept>

#include "reports/mean_ratio.h"
#include "reports/means.h"
#include "tests/catch.h"
#include "tests/made_results.h"
#include "tests/table_cells.h"

namespace steelyard {
namespace {

const std::string small = "gemm/f32/nn/64x64x64", large = "gemm/f32/nn/1024x1024x1024";

Results alpha(std::vector<Record> records) {
  return made_results("alpha", std::move(records));
}

Record beta_row(MadeRow row) {
  row.device_name = "Beta";
  return made(row);
}

Relative related(const std::vector<Results>& results, std::vector<Side>& found) {
  found = sides(results);
  return relate(found, 0);
}

TEST_CASE("a ratio is the reference's time over the other's") {
  const Ratio ratio = speed_ratio({3.0, {2.9, 3.1}}, {2.0, {1.9, 2.1}});
  CHECK(ratio.value == Approx(1.5).epsilon(1e-14));
}

TEST_CASE("the interval of a ratio joins both half-widths as squares of logarithms") {
  // Powers of two make the logarithms small integers: halves of 3 and 4 octaves join to 5.
  const Estimate reference{1.0, {0x1p-3, 0x1p3}}, other{1.0, {0x1p-4, 0x1p4}};
  const Ratio ratio = speed_ratio(reference, other);
  CHECK(ratio.ci95.lower == Approx(0x1p-5).epsilon(1e-14));
  CHECK(ratio.ci95.upper == Approx(0x1p5).epsilon(1e-14));
}

TEST_CASE("a ratio's lower end comes from a faster reference and a slower other side") {
  const Ratio ratio = speed_ratio({1.0, {0.5, 1.0}}, {1.0, {0.25, 1.0}});
  CHECK(ratio.ci95.lower == Approx(0.5).epsilon(1e-14));
  CHECK(ratio.ci95.upper == Approx(4.0).epsilon(1e-14));
}

TEST_CASE("one run keeps its own interval") {
  const std::vector<Estimate> runs{{2.0, {1.5, 3.0}}};
  const Estimate estimate = combine(runs);
  CHECK(estimate.seconds == 2.0);
  CHECK(estimate.ci95.lower == 1.5);
  CHECK(estimate.ci95.upper == 3.0);
}

TEST_CASE("several runs get Student's interval of their logarithms") {
  // Logarithms -1, 0, 1: mean 0, deviation 1, t(0.975, 2) = 4.302652729911275 (from tables).
  const std::vector<Estimate> runs{{std::exp(-1.0), {}}, {1.0, {}}, {std::exp(1.0), {}}};
  const Estimate estimate = combine(runs);
  const double half = 4.302652729911275 / std::sqrt(3.0);
  CHECK(estimate.seconds == Approx(1.0).epsilon(1e-14));
  CHECK(estimate.ci95.lower == Approx(std::exp(-half)).epsilon(1e-9));
  CHECK(estimate.ci95.upper == Approx(std::exp(half)).epsilon(1e-9));
}

TEST_CASE("runs of one row are one measurement") {
  const auto results = alpha({made({.seconds = 1e-3}), made({.seconds = 3e-3}),
                              made({.seconds = 2e-3}), made({.kernel = "other"})});
  const auto found = measurements(results);
  REQUIRE(found.size() == 2);
  const auto& packed = found[0].row().kernel == "packed" ? found[0] : found[1];
  CHECK(packed.runs.size() == 3);
  CHECK(packed.time.seconds == 2e-3);
}

TEST_CASE("rows without a number are no measurements") {
  const auto results = alpha({made_unmeasured({}, Status::failed, "out of memory")});
  CHECK(measurements(results).empty());
}

TEST_CASE("the mean of ratios is geometric and counts its rows") {
  // Twice as fast and eight times as fast: four times on the geometric mean (five on the other).
  std::vector<Side> found;
  const std::vector<Results> results{
      alpha({made({.id = small, .seconds = 2e-3}), made({.id = large, .seconds = 8e-3})}),
      made_results("beta", {beta_row({.id = small, .seconds = 1e-3}),
                            beta_row({.id = large, .seconds = 1e-3})})};
  const Relative relative = related(results, found);
  REQUIRE(relative.comparisons.size() == 1);
  const MeanRatio mean = mean_ratio(ratios(relative.comparisons[0], 1));
  CHECK(mean.value == Approx(4).epsilon(1e-14));
  CHECK(mean.rows == 2);
  CHECK(relative.comparisons[0].rows.size() == 2);
}

TEST_CASE("a package whose dies each solve a problem is as fast as both together") {
  // Two problems in 4 ms against one in 2 ms: as fast. The same time of a latency is twice as slow.
  const auto together = [](Record row) {
    row.together = {{.device = "hip:0"}, {.device = "hip:1"}};
    return row;
  };
  Record chase = made({.id = "memory/chase/int32/4MiB", .seconds = 2e-3});
  Record theirs = together(beta_row({.id = "memory/chase/int32/4MiB", .seconds = 4e-3}));
  chase.steps = theirs.steps = 100;
  const std::vector<Results> results{
      alpha({made({.seconds = 2e-3, .half = 0}), chase}),
      made_results("beta", {together(beta_row({.seconds = 4e-3, .half = 0})), theirs})};
  std::vector<Side> found;
  const Relative relative = related(results, found);
  REQUIRE(relative.comparisons.size() == 2);
  const Ratio products = *relative.comparisons[0].rows.at(0).cells[1].ratio;
  CHECK(products.value == Approx(1).epsilon(1e-14));
  CHECK(products.ci95.lower == Approx(1).epsilon(1e-14));
  CHECK(relative.comparisons[1].rows.at(0).cells[1].ratio->value == Approx(0.5).epsilon(1e-14));
}

TEST_CASE("what one side lacks is counted and left out of the mean") {
  std::vector<Side> found;
  const std::vector<Results> results{
      alpha({made({.id = small, .seconds = 2e-3}), made({.id = large, .seconds = 8e-3})}),
      made_results("beta",
                   {beta_row({.id = small, .seconds = 1e-3}), beta_row({.id = "gemm/f32/nn/1x1x1"}),
                    beta_row({.id = "gemm/f32/nn/2x2x2"})})};
  const Relative relative = related(results, found);
  const std::vector<Ratio> of_both = ratios(relative.comparisons[0], 1);
  REQUIRE(of_both.size() == 1);
  CHECK(of_both[0].value == Approx(2).epsilon(1e-14));
  const Table table = mean_table(found, relative);
  CHECK(column(table, "reference lacks") == Cells{"2"});
  CHECK(column(table, "side lacks") == Cells{"1"});
  CHECK(column(table, "refused") == Cells{"0"});
}

TEST_CASE("the fastest kernel of each side stands for it, by tier and from all") {
  std::vector<Side> found;
  const std::vector<Results> results{
      alpha({made({.kernel = "slow", .tier = "library", .seconds = 6e-3}),
             made({.kernel = "fast", .tier = "library", .seconds = 4e-3}),
             made({.kernel = "own", .tier = "portable", .seconds = 3e-3})}),
      made_results("beta", {beta_row({.kernel = "theirs", .tier = "library", .seconds = 2e-3}),
                            beta_row({.kernel = "own", .tier = "portable", .seconds = 6e-3})})};
  const Relative relative = related(results, found);
  REQUIRE(relative.comparisons.size() == 3);
  const auto ratio = [&](std::size_t i) {
    return relative.comparisons[i].rows.at(0).cells[1].ratio->value;
  };
  CHECK(relative.comparisons[0].tier == "library");
  CHECK(ratio(0) == Approx(2));  // fast over theirs
  CHECK(relative.comparisons[1].tier.empty());
  CHECK(ratio(1) == Approx(1.5));  // own over theirs
  CHECK(relative.comparisons[2].tier == "portable");
  CHECK(ratio(2) == Approx(0.5));  // own over own
}

TEST_CASE("rows of different identities are refused and named") {
  std::vector<Side> found;
  Record other = beta_row({});
  other.identity = comparability({{"id", large}, {"fill", "normal"}, {"verified", false}});
  const std::vector<Results> results{alpha({made({})}), made_results("beta", {other})};
  const Relative relative = related(results, found);
  const Comparison& comparison = relative.comparisons.at(0);
  CHECK_FALSE(anything_compared(relative));
  CHECK(ratios(comparison, 1).empty());
  CHECK(column(mean_table(found, relative), "refused") == Cells{"1"});
  CHECK(comparison.rows.at(0).cells[1].refused);
  REQUIRE(comparison.refusals.size() == 1);
  const auto& fields = comparison.refusals[0].fields;
  REQUIRE(fields.size() == 1);
  CHECK(fields[0].field == "verified");
  CHECK(fields[0].values == std::vector<std::string>{"absent", "false"});
}

TEST_CASE("rows of different settings are never joined") {
  std::vector<Side> found;
  const std::vector<Results> results{alpha({made({.fill = "normal"})}),
                                     made_results("beta", {beta_row({.fill = "zeros"})})};
  const Relative relative = related(results, found);
  CHECK_FALSE(anything_compared(relative));
  CHECK(relative.comparisons.at(0).rows.size() == 2);
}

TEST_CASE("conditions that differ are compared and shown with the rows they concern") {
  std::vector<Side> found;
  const std::vector<Results> results{
      alpha({made({.id = small, .driver = "1.0"}), made({.id = large, .driver = "1.0"})}),
      made_results("beta", {beta_row({.id = small, .driver = "2.0"}),
                            beta_row({.id = large, .driver = "2.0"})})};
  const Relative relative = related(results, found);
  CHECK(anything_compared(relative));
  REQUIRE(relative.conditions.size() == 2);
  CHECK(relative.conditions[0].field == "device");
  CHECK(relative.conditions[1].field == "driver");
  CHECK(relative.conditions[1].values == std::vector<std::string>{"1.0", "2.0"});
  CHECK(relative.conditions[1].rows == 2);
}

TEST_CASE("labels are as short as tells the sides apart") {
  const std::vector<Results> different{alpha({made({})}), made_results("b", {beta_row({})})};
  CHECK(sides(different)[0].label == "Alpha");
  CHECK(sides(different)[1].label == "Beta");
  const std::vector<Results> alike{made_results("x/first", {made({})}),
                                   made_results("x/second", {made({})})};
  CHECK(sides(alike)[0].label == "Alpha (first)");
  CHECK(sides(alike)[1].label == "Alpha (second)");
  const std::vector<Results> folders{made_results("x/run", {made({})}),
                                     made_results("y/run", {made({})})};
  CHECK(sides(folders)[1].label == "Alpha (y/run)");
}

TEST_CASE("two devices of one result are two sides") {
  const std::vector<Results> results{
      alpha({made({.device = "cuda:0"}), made({.device = "cuda:1"})})};
  CHECK(sides(results).size() == 2);
}

std::string refusal_of(const std::vector<Side>& found, const std::string& reference) {
  try {
    find_side(found, reference);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "found";
}

TEST_CASE("a reference is found by a part of its name, or the choices are listed") {
  const std::vector<Results> results{alpha({made({})}), made_results("b", {beta_row({})})};
  const auto found = sides(results);
  CHECK(find_side(found, "") == 0);
  CHECK(find_side(found, "bet") == 1);
  CHECK(find_side(found, "BETA") == 1);
  CHECK(refusal_of(found, "gamma") ==
        "--reference gamma names none of the devices; choose one of 'Alpha', 'Beta'");
  CHECK(refusal_of(found, "a") ==
        "--reference a names several of the devices; choose one of 'Alpha', 'Beta'");
}

}  // namespace
}  // namespace steelyard
