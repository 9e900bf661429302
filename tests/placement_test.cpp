// SPDX-License-Identifier: Apache-2.0
// Which device for which phase, from made steps.
#include "reports/placement.h"

#include <cmath>
#include <span>
#include <vector>

#include "catch.h"
#include "made_results.h"

using namespace steelyard;

namespace {

constexpr const char* h100 = "NVIDIA H100 80GB HBM3";
constexpr const char* mi300x = "AMD Instinct MI300X";
constexpr const char* a100 = "NVIDIA A100-SXM4-80GB";

Record with_room(Record record, int batch) {
  record.step->whole_model = Capacity{.largest_batch = batch};
  return record;
}

Record with_watts(Record record, double watts) {
  record.power = {.watts = watts, .scope = record.unit, .valid = true};
  return record;
}

struct Given {
  explicit Given(std::vector<std::vector<Record>> records)
      : results(made_results(std::move(records))), devices(sides(results)) {}
  PhasePlace at(const std::string& phase, std::span<const Price> prices = {}) const {
    for (PhasePlace& found : place(devices, prices))
      if (found.phase == phase) return found;
    FAIL("no phase " << phase);
    return {};
  }
  std::vector<Results> results;
  std::vector<Side> devices;
};

Price price(const std::string& gpu, double value, const std::string& currency = "USD") {
  return {.gpu = gpu, .currency = currency, .per_device_hour = value};
}

}  // namespace

TEST_CASE("the fastest leads by the mean over the rows that all have") {
  // 2 and 4 times as fast; the third row is of one device alone.
  const Given given({{made_step(h100, "decode", 1, 4e-3), made_step(h100, "decode", 2, 4e-3)},
                     {made_step(mi300x, "decode", 1, 2e-3), made_step(mi300x, "decode", 2, 1e-3),
                      made_step(mi300x, "decode", 4, 1e-9)}});
  const PhasePlace place = given.at("decode, batch to 8");
  CHECK(place.rows == 2);
  REQUIRE(place.contenders.size() == 2);
  CHECK(place.contenders[0].side->label == mi300x);
  CHECK(place.contenders[0].tokens_per_second == Approx(1000));  // of 500 and 2000
  CHECK(place.lead->value == Approx(std::sqrt(8)));
  CHECK_FALSE(place.is_sure());  // two rows that differ so much say little of others
  CHECK(place.settle == "on both: steelyard-llm --suite full --filter '/decode/'");
  CHECK(given.at("decode, batch from 32").contenders.empty());
}

TEST_CASE("a lead is sure when its whole interval lies above 1") {
  const auto of = [](double half) {
    return Given({{made_step(h100, "train", 1, 1.2e-3, half),
                   made_step(h100, "train", 2, 1.2e-3, half)},
                  {made_step(mi300x, "train", 1, 1e-3), made_step(mi300x, "train", 2, 1e-3)}})
        .at("pre-training");
  };
  CHECK(of(0.1).is_sure());  // 1.08 to 1.32
  CHECK(of(0.1).settle.empty());
  CHECK_FALSE(of(0.3).is_sure());  // 0.84 to 1.56
  CHECK(of(0.3).settle ==
        std::string("on ") + h100 +
            ": bench --filter 'transformer/toy/train/b1/chained' --repetitions 10");
}

TEST_CASE("one row alone makes no lead sure") {
  const Given given({{made_step(h100, "train", 1, 1.2e-3)}, {made_step(mi300x, "train", 1, 1e-3)}});
  const PhasePlace place = given.at("pre-training");
  CHECK(place.lead->wider().lower > 1);
  CHECK_FALSE(place.is_sure());
  CHECK(place.settle == "on both: steelyard-llm --suite full --filter '/train/'");
  CHECK(placement_tables(std::vector{place}, given.results).at(0).rows.at(0)[3] == "open: one row");
}

TEST_CASE("several packages at work together are not placed beside single ones") {
  const auto together = [](Record row) {
    row.device = "cuda:0+1";
    row.unit = "node";
    row.together = {{.device = "cuda:0"}, {.device = "cuda:1"}};
    return row;
  };
  const Given given(
      {{together(made_step(h100, "train", 1, 1e-3))}, {made_step(mi300x, "train", 1, 1e-3)}});
  CHECK(given.devices[0].label == std::string("2 x ") + h100);
  const PhasePlace place = given.at("pre-training");
  REQUIRE(place.contenders.size() == 1);
  CHECK(place.contenders[0].side->label == mi300x);
  CHECK(placement_tables(std::vector{place}, given.results).at(0).notes.back() ==
        std::string("Left out as several packages at work together: 2 x ") + h100 + ".");
}

TEST_CASE("results of several packages alone are named, and asked for one") {
  Record two = made_step(h100, "train", 1, 1e-3);
  two.unit = "node";
  two.together.resize(2);
  const Given given({{two}});
  const auto tables = placement_tables(place(given.devices, {}), given.results);
  CHECK(tables.at(0).rows.at(0)[1] == "not measured on one package");
  CHECK_THAT(tables.at(0).notes.back(), ContainsSubstring("several packages at work together"));
}

TEST_CASE("a step that does not tell the whole model's time places nothing") {
  Record part = made_step(h100, "train", 1, 1e-3);
  part.problem.emplace_back("blocks", std::int64_t{32});
  const Given given({{part}});
  CHECK(given.at("pre-training").rows == 0);
  CHECK(placement_tables(place(given.devices, {}), given.results).at(0).rows.at(0)[1] ==
        "not measured");
}

TEST_CASE("a device that shares no row with the others is left out and named") {
  const Given given({{made_step(h100, "train", 1, 2e-3), made_step(h100, "train", 2, 2e-3)},
                     {made_step(a100, "train", 4, 1e-3)},
                     {made_step(mi300x, "train", 1, 1e-3), made_step(mi300x, "train", 2, 1e-3)}});
  const PhasePlace place = given.at("pre-training");
  CHECK(place.rows == 2);
  REQUIRE(place.contenders.size() == 2);
  CHECK(place.contenders[0].side->label == mi300x);
  CHECK(place.lead->value == Approx(2));
  REQUIRE(place.unrelated.size() == 1);
  CHECK(place.unrelated[0]->label == a100);
  CHECK(place.settle ==
        std::string("on ") + a100 + ": steelyard-llm --suite standard --filter '/train/'");
  CHECK(placement_tables(std::vector{place}, given.results).at(0).notes.back() ==
        std::string("pre-training: no row in common with these, so left out: ") + a100 + ".");
}

TEST_CASE("a device whose memory the model does not fit is no contender") {
  const Given given({{with_room(made_step(h100, "decode", 32, 1e-3), 8)},
                     {with_room(made_step(mi300x, "decode", 32, 2e-3), 64)}});
  const PhasePlace place = given.at("decode, batch from 32");
  REQUIRE(place.contenders.size() == 1);
  CHECK(place.contenders[0].side->label == mi300x);
  REQUIRE(place.do_not_fit.size() == 1);
  CHECK(place.do_not_fit[0]->label == h100);
  CHECK(place.rows == 1);
  const Table table = placement_tables(std::vector{place}, given.results).at(0);
  CHECK(table.rows.at(0)[2] == "the only one that it fits");
  CHECK(table.notes.back() ==
        std::string("decode, batch from 32: no measured model fits as a whole on ") + h100 + ".");
}

TEST_CASE("a phase whose models fit no device says so and asks for no other run") {
  const Given given({{with_room(made_step(h100, "decode", 32, 1e-3), 8)},
                     {with_room(made_step(mi300x, "decode", 32, 2e-3), 16)}});
  const PhasePlace place = given.at("decode, batch from 32");
  CHECK(place.do_not_fit.size() == 2);
  CHECK(place.settle.empty());
  CHECK(placement_tables(std::vector{place}, given.results).at(0).rows.at(0)[1] == "fits none");
}

TEST_CASE("what was not measured is named, with the command that measures it") {
  const Given given({{made_step(h100, "lora", 1, 1e-3)}, {made_step(mi300x, "train", 1, 1e-3)}});
  const PhasePlace place = given.at("post-training");
  CHECK(place.not_measured.at(0)->label == mi300x);
  CHECK(place.settle ==
        std::string("on ") + mi300x + ": steelyard-llm --suite standard --filter '/(lora|score)/'");
  CHECK(given.at("prefill").settle == "steelyard-llm --suite standard --filter '/prefill/'");
  const Given apart({{made_step(h100, "train", 1, 1e-3)}, {made_step(mi300x, "train", 2, 1e-3)}});
  CHECK(apart.at("pre-training").rows == 0);
  CHECK(apart.at("pre-training").settle ==
        "on each: steelyard-llm --suite standard --filter '/train/'");
}

TEST_CASE("cost is that of the lowest price in the currency that most devices have") {
  const Given given({{made_step(h100, "train", 1, 1e-3)}, {made_step(mi300x, "train", 1, 2e-3)}});
  const std::vector prices = {price("H100-SXM5-80GB", 7.2), price("H100-SXM5-80GB", 3.6),
                              price("MI300X", 0.9), price("H100-SXM5-80GB", 0.1, "EUR")};
  const PhasePlace place = given.at("pre-training", prices);
  // 3.6 an hour is 0.001 a second, in which there are 1000 tokens; 0.9 and 500 tokens.
  CHECK(place.contenders[0].cost_of_tokens.value() == Approx(1));
  CHECK(place.contenders[1].cost_of_tokens.value() == Approx(0.5));
  const auto tables = placement_tables(std::vector{place}, given.results);
  CHECK(tables.at(0).rows.at(0)[4] == std::string(mi300x) + ": 0.5 USD");
  CHECK(tables.at(0).rows.at(0)[6] ==
        "AMD Instinct MI300X below 0.500 of NVIDIA H100 80GB HBM3's price");
  CHECK_FALSE(given.at("pre-training").contenders[0].cost_of_tokens);
}

TEST_CASE("prices in two currencies are shown and not compared") {
  const Given given({{made_step(h100, "train", 1, 1e-3)}, {made_step(mi300x, "train", 1, 1e-3)}});
  const std::vector prices = {price("H100-SXM5-80GB", 3.6, "USD"), price("MI300X", 1.8, "EUR")};
  const PhasePlace place = given.at("pre-training", prices);
  const auto tables = placement_tables(std::vector{place}, given.results);
  CHECK(tables.at(0).rows.at(0)[4] == "no two in one currency");
  CHECK(tables.at(1).rows.at(0)[4] == "0.5 EUR");  // MI300X
  CHECK(tables.at(1).rows.at(1)[4] == "1 USD");
}

TEST_CASE("energy is by measured power where all have it, else by the datasheets") {
  const Given measured({{with_watts(made_step(h100, "train", 1, 1e-3), 500)},
                        {with_watts(made_step(mi300x, "train", 1, 1e-3), 250)}});
  CHECK(measured.at("pre-training").by_measured_power);
  CHECK(measured.at("pre-training").contenders[1].tokens_per_joule.value() == Approx(4));
  const Given mixed({{with_watts(made_step(h100, "train", 1, 1e-3), 500)},
                     {made_step(mi300x, "train", 1, 1e-3)}});
  const PhasePlace place = mixed.at("pre-training");
  CHECK_FALSE(place.by_measured_power);
  CHECK(place.contenders[0].tokens_per_joule.value() == Approx(1000.0 / 700));
  CHECK(place.contenders[1].tokens_per_joule.value() == Approx(1000.0 / 750));
  const Given unknown(
      {{made_step("Alpha", "train", 1, 1e-3)}, {made_step("Beta", "train", 1, 1e-3)}});
  CHECK_FALSE(unknown.at("pre-training").contenders[0].tokens_per_joule);
}

TEST_CASE("results without steps of models have no placement") {
  const Given given({{made({})}});
  const auto tables = placement_tables(place(given.devices, {}), given.results);
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].notes.at(0).starts_with("Not measured: no steps of models."));
}

TEST_CASE("the closing table has every device in every phase that was measured") {
  const Given given(
      {{made_step(h100, "train", 1, 1e-3), made_step(h100, "prefill", 1, 1e-3)},
       {made_step(mi300x, "train", 1, 2e-3), made_step(mi300x, "prefill", 1, 0.5e-3)}});
  const Table table = placement_tables(place(given.devices, {}), given.results).at(1);
  REQUIRE(table.rows.size() == 4);
  CHECK(table.rows[0][0] == mi300x);
  CHECK(table.rows[0][3] == "50.0 %");   // pre-training
  CHECK(table.rows[1][3] == "100.0 %");  // prefill
  CHECK(table.rows[2][0] == h100);
  CHECK(table.columns[4].heading == "tokens/J");  // without prices no costs
  CHECK(table.rows[2][5] == "2 of 2 rows correct");
}
