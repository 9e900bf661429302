// SPDX-License-Identifier: Apache-2.0
#include "reports/costs.h"

#include <stdexcept>

#include "reports/group_by.h"
#include "tests/catch.h"
#include "tests/made_results.h"
#include "tests/table_cells.h"

namespace steelyard {
namespace {

constexpr const char* h100 = "NVIDIA H100 80GB HBM3";
constexpr const char* mi250 = "AMD Instinct MI250X / MI250";

Record die(double seconds) {
  Record row = made({.seconds = seconds, .device_name = mi250});
  row.unit = "gcd";
  return row;
}

const std::vector<Price> prices = {
    {.gpu = "H100-SXM5-80GB",
     .provider = "A",
     .contract = "on demand",
     .currency = "USD",
     .date = "2026-05-18",
     .per_device_hour = 4},
    {.gpu = "H100-SXM5-80GB",
     .provider = "B",
     .contract = "spot",
     .currency = "USD",
     .date = "2026-05-19",
     .per_device_hour = 2},
    {.gpu = "H100-PCIe-80GB", .provider = "C", .currency = "USD", .per_device_hour = 1},
    {.gpu = "MI250", .provider = "D", .currency = "USD", .per_device_hour = 1}};

TEST_CASE("every way to have a device has a row; a die has its share of a package's price") {
  const std::vector<Results> results{made_results("a", {made({.device_name = h100})}),
                                     made_results("b", {die(2e-3)})};
  const auto all = sides(results);
  const Table table = value_table(all, relate(all, 0), prices);
  CHECK(column(table, "provider") == Cells{"A", "B", "D"});  // none of the card's price
  CHECK(column(table, "contract") == Cells{"on demand", "spot", ""});
  CHECK(column(table, "date") == Cells{"2026-05-18", "2026-05-19", ""});
  CHECK(column(table, "an hour") == Cells{"4.000 USD", "2.000 USD", "0.500 USD"});
  CHECK(column(table, "speed") == Cells{"1.000", "1.000", "0.500"});
  CHECK(column(table, "speed for 1 an hour") ==
        Cells{"0.250 per USD", "0.500 per USD", "1.000 per USD"});
  CHECK_THAT(table.notes.at(1), ContainsSubstring("a die's share of its package's price"));
}

TEST_CASE("both dies of a package together cost all of it") {
  Record row = die(1e-3);
  row.unit = "package";
  row.together = {{.device = "hip:0"}, {.device = "hip:1"}};
  const std::vector<Results> results{made_results("a", {row})};
  const auto found = offers(sides(results).at(0), prices);
  REQUIRE(found.size() == 1);
  CHECK(found[0].per_hour == 1);
}

TEST_CASE("a side without a price is named") {
  const std::vector<Results> results{
      made_results("a", {made({.device_name = "AMD Instinct MI300X"})}),
      made_results("b", {made({.device_name = "Alpha"})})};
  const auto all = sides(results);
  const Table table = value_table(all, relate(all, 0), prices);
  CHECK(table.rows.empty());
  CHECK_THAT(table.notes.at(1), ContainsSubstring("No price of: AMD Instinct MI300X, Alpha."));
}

// A step of one of four blocks: 3 ms, of which the block has two thirds; the whole model takes 9 ms.
Record step(std::int64_t batch) {
  Record row = made({.id = "transformer/toy/decode/b" + std::to_string(batch),
                     .kernel = "chained",
                     .tier = "best",
                     .seconds = 3e-3,
                     .device_name = h100});
  row.family = "llm";
  row.problem = {{"kind", "transformer"},     {"phase", "decode"},
                 {"dtype", "bf16"},           {"batch", batch},
                 {"tokens", std::int64_t{1}}, {"layers", std::int64_t{1}},
                 {"blocks", std::int64_t{4}}};
  row.parts = {{"embedding", "gather", "copy", "portable", 1e-4, 1e-4},
               {"block 0: q", "product", "fast", "library", 4e-4, 4e-4},
               {"head", "head", "fast", "library", 1e-4, 1e-4}};
  row.step.emplace();
  row.step->whole_model = Capacity{.largest_batch = 2};
  return row;
}

TEST_CASE("tokens cost the hour's price over the whole model's rate, where it fits") {
  Record slower = step(1);
  slower.tier = "portable";
  slower.timing.median_seconds = 6e-3;
  Record blocks_unknown = step(3);
  blocks_unknown.parts.clear();
  const std::vector<Results> results{
      made_results("a", {step(1), slower, step(2), step(4), blocks_unknown})};
  const Table table = token_cost_table(sides(results), std::span(prices).first(1));
  CHECK(column(table, "problem") == Cells{"transformer/toy/decode/b1", "transformer/toy/decode/b2",
                                          "transformer/toy/decode/b4"});
  CHECK(column(table, "tier") == Cells{"best", "best", "best"});
  CHECK(column(table, "whole model") ==
        Cells{"111.1 tokens/s", "222.2 tokens/s", "444.4 tokens/s"});
  // 4 USD / 3600 s * 9 ms / token = 10 USD for a million.
  CHECK(column(table, "1M tokens") == Cells{"10 USD", "5 USD", "does not fit"});
  CHECK_THAT(table.notes.at(1), ContainsSubstring("kernel-level bound"));
}

Results labelled(const std::string& name, const char* provider, double seconds) {
  Results set = made_results(name, {made({.seconds = seconds})});
  if (provider != nullptr) set.files[0].context.labels = {{"provider", provider}};
  set.files[0].context.google = {{"host_name", name}};
  return set;
}

TEST_CASE("results of one label are runs of one side, and count their devices") {
  const std::vector<Results> results{labelled("a", "x", 1e-3), labelled("b", "y", 2e-3),
                                     labelled("c", "x", 4e-3), labelled("d", nullptr, 1e-3)};
  const auto groups = grouped(results, "label.provider");
  const auto all = sides(groups);
  REQUIRE(all.size() == 3);
  CHECK(all[0].label == "Alpha (provider x)");
  CHECK(all[0].measurements.at(0).runs.size() == 2);
  CHECK(all[0].devices == 2);
  CHECK(all[1].label == "Alpha (provider y)");
  CHECK(all[1].devices == 1);
  CHECK(all[2].label == "Alpha (no provider)");
}

TEST_CASE("a label that no result has, or no label at all, is refused with the choices") {
  const std::vector<Results> results{labelled("a", "x", 1e-3)};
  CHECK_THROWS_WITH(grouped(results, "label.host"),
                    "--group-by label.host: no result has it; there are label.provider");
  CHECK_THROWS_WITH(grouped(results, "provider"), "--group-by takes label.KEY, not provider");
  CHECK_THROWS_AS(grouped(results, "label."), std::invalid_argument);
  const std::vector<Results> without{labelled("a", nullptr, 1e-3)};
  CHECK_THROWS_WITH(
      grouped(without, "label.host"),
      "--group-by label.host: no result has a label; measure with --label host=VALUE");
}

}  // namespace
}  // namespace steelyard
