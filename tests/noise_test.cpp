// SPDX-License-Identifier: Apache-2.0
#include "reports/noise.h"

#include <cmath>

#include "tests/catch.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

RunSet runs(std::vector<double> values) {
  return {.series = {{.row = "row", .metric = "time", .unit = "s", .values = std::move(values)},
                     {.row = "row", .metric = "energy", .unit = "J", .values = {1, 2, 3, 4, 5}},
                     {.row = "few", .metric = "time", .unit = "s", .values = {1, 2, 3}}}};
}

TEST_CASE("the noise of a row is that of its times") {
  const double e = std::exp(0.01);
  const NoiseCard card = noise_of(runs({1, e, 1, e, 1, e, 1, e}));
  REQUIRE(card.rows.size() == 1);
  const RowNoise& noise = card.rows.at("row");
  CHECK(noise.runs == 8);
  CHECK(noise.deviation == Approx(0.01 * std::sqrt(8.0 / 4 / 7)));
  CHECK(noise.autocorrelation == Approx(-7.0 / 8).epsilon(1e-6));
}

TEST_CASE("false alarms are counted over halvings of the runs") {
  CHECK(noise_of(runs({1, 1.001, 1, 1.001, 1, 1.001})).rows.at("row").false_alarm_share == 0);
  // Three of six are 10 % slower: one of the twenty halvings, and its mirror image, parts them.
  const double share = noise_of(runs({1, 1, 1, 1.1, 1.1, 1.1})).rows.at("row").false_alarm_share;
  CHECK(share == Approx(0.05).margin(0.02));
}

TEST_CASE("a card that was written is read again") {
  const Sandbox sandbox;
  const NoiseCard card = noise_of(runs({1, 1.01, 0.99, 1.02, 1}));
  sandbox.write("n.json", to_json(card));
  const NoiseCard read = read_noise_card(sandbox / "n.json");
  CHECK(read.rows.at("row").deviation == Approx(card.rows.at("row").deviation));
  CHECK(read.floor("row") == Approx(2 * card.rows.at("row").deviation * std::sqrt(0.4)));
  CHECK(read.floor("another row") == 0);
}

TEST_CASE("what is no card is refused") {
  const Sandbox sandbox;
  sandbox.write("n.json", "{\"form\": \"something\"}");
  CHECK_THROWS_WITH(read_noise_card(sandbox / "n.json"), ContainsSubstring("no noise card"));
  sandbox.write("n.json", "{\"form\": \"steelyard noise 1\", \"rows\": [{\"row\": 3}]}");
  CHECK_THROWS_WITH(read_noise_card(sandbox / "n.json"), ContainsSubstring("/rows/0/row"));
}

}  // namespace
}  // namespace steelyard
