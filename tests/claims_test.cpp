// SPDX-License-Identifier: Apache-2.0
// What results and published numbers say to claims.
#include "reports/claims.h"

#include <limits>

#include "catch.h"
#include "made_results.h"
#include "reports/claim_rows.h"

using namespace steelyard;

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();
constexpr const char* h100 = "NVIDIA H100 80GB HBM3";
constexpr const char* mi300x = "AMD Instinct MI300X";

// One result set for each device.
struct Given {
  explicit Given(std::vector<std::vector<Record>> records)
      : results(made_results(std::move(records))), devices(sides(results)) {}
  Judged judge(const Claim& claim, std::vector<Price> prices = {},
               std::vector<Published> published = {}) const {
    return steelyard::judge(std::vector{claim}, {devices, prices, published}).at(0);
  }

  std::vector<Results> results;
  std::vector<Side> devices;
};

Claim speed_claim(Interval band) {
  return {.name = "c",
          .text = "A is B",
          .band = band,
          .sides = {{.gpus = {"MI300X"}}, {.gpus = {"H100*"}}}};
}

Published number(const std::string& gpu, double value, const std::string& series) {
  return {.gpu = gpu,
          .value = value,
          .unit = "tokens/s",
          .source = "S",
          .date = "2025",
          .series = series,
          .phase = "serve"};
}

}  // namespace

TEST_CASE("the whole interval decides") {
  CHECK(judge({0.8, 0.9}, {0.7, 0.9}) == Judgement::supported);
  CHECK(judge({0.8, 0.91}, {0.7, 0.9}) == Judgement::mixed);
  CHECK(judge({0.6, 0.95}, {0.7, 0.9}) == Judgement::mixed);
  CHECK(judge({0.91, 2}, {0.7, 0.9}) == Judgement::contradicted);
  CHECK(judge({0.1, 0.69}, {0.7, 0.9}) == Judgement::contradicted);
  CHECK(judge({1.1, 7}, {1, unbounded}) == Judgement::supported);
}

TEST_CASE("a claim of speed is judged over the rows that both have") {
  // 2/2.5, 2/2.5: 0.8 without spread; the third row is of one device alone.
  const Given given({{made_step(mi300x, "train", 1, 2.5e-3), made_step(mi300x, "train", 2, 2.5e-3)},
                     {made_step(h100, "train", 1, 2e-3), made_step(h100, "train", 2, 2e-3),
                      made_step(h100, "train", 4, 2e-3)}});
  const Judged judged = given.judge(speed_claim({0.73, 0.81}));
  REQUIRE(judged.findings.size() == 1);
  const Finding& finding = judged.findings[0];
  CHECK(finding.a == mi300x);
  CHECK(finding.b == h100);
  CHECK(finding.rows == 2);
  CHECK(finding.value == Approx(0.8));
  CHECK(finding.judgement == Judgement::supported);
  CHECK(judged.missing.empty());
  CHECK(given.judge(speed_claim({0.9, 1.1})).findings.at(0).judgement == Judgement::contradicted);
}

TEST_CASE("the spread between rows and the intervals of rows both count") {
  // Ratios 1 and 4: the mean is 2, log deviation 0.980, t of one degree 12.7: nothing is certain.
  const Given spread({{made_step(mi300x, "train", 1, 1e-3), made_step(mi300x, "train", 2, 1e-3)},
                      {made_step(h100, "train", 1, 1e-3), made_step(h100, "train", 2, 4e-3)}});
  const Finding wide = spread.judge(speed_claim({1.5, 2.5})).findings.at(0);
  CHECK(wide.value == Approx(2));
  CHECK(wide.judgement == Judgement::mixed);
  CHECK(std::log(wide.interval.upper / 2) == Approx(12.706 * 0.98026 / std::sqrt(2)).epsilon(1e-3));
  // One row of ± 20 % and ± 20 %.
  const Given unsure(
      {{made_step(mi300x, "train", 1, 1e-3, 0.2)}, {made_step(h100, "train", 1, 1e-3, 0.2)}});
  CHECK(unsure.judge(speed_claim({0.9, 1.1})).findings.at(0).judgement == Judgement::mixed);
}

TEST_CASE("globs that match nothing are flagged with what they looked for") {
  const Given given({{made_step(h100, "train", 1, 2e-3)}});
  Claim claim = speed_claim({0.7, 0.8});
  claim.rows = {"transformer/*"};
  claim.source = "a source";
  claim.date = "2026-01-02";
  claim.decides = "Little.";
  const Judged judged = given.judge(claim);
  CHECK(judged.findings.empty());
  CHECK(overall(judged, false) == Judgement::not_measured);
  CHECK(judged.missing == std::vector<std::string>{"transformer/* on MI300X"});
  const auto tables = claim_tables(std::vector{judged});
  CHECK(tables.at(0).notes.at(0) ==
        "c: a source, 2026-01-02. Little. Not found: transformer/* on MI300X.");
  CHECK(tables.at(0).rows.at(0)[2] == "not measured");
  CHECK(tables.at(1).rows.empty());
}

TEST_CASE("rows, tiers and phases choose what is judged") {
  const Given given({{made_step(mi300x, "train", 1, 1e-3), made_step(mi300x, "decode", 1, 4e-3)},
                     {made_step(h100, "train", 1, 1e-3), made_step(h100, "decode", 1, 2e-3)}});
  Claim claim = speed_claim({0, 10});
  for (auto& side : claim.sides) side.phases = {"dec*"};
  CHECK(given.judge(claim).findings.at(0).value == Approx(0.5));
  claim.sides[1].phases = claim.sides[0].phases = {};
  claim.rows = {"*/train/*"};
  CHECK(given.judge(claim).findings.at(0).value == Approx(1));
  claim.tiers = {"library"};
  CHECK(given.judge(claim).findings.empty());
}

TEST_CASE("one row is enough for a claim of some; all must miss it to contradict") {
  const Given given({{made_step(mi300x, "decode", 1, 2e-3), made_step(mi300x, "decode", 2, 1e-3)},
                     {made_step(h100, "decode", 1, 1e-3), made_step(h100, "decode", 2, 2e-3)}});
  Claim claim = speed_claim({1, unbounded});
  claim.aggregate = Claim::Aggregate::some;
  const Finding finding = given.judge(claim).findings.at(0);
  CHECK(finding.judgement == Judgement::supported);
  CHECK(finding.value == Approx(2));
  CHECK(finding.note == "1 of 2 rows lie in the band; the largest: transformer/toy/decode/b2");
  claim.band = {3, unbounded};
  CHECK(given.judge(claim).findings.at(0).judgement == Judgement::contradicted);
}

TEST_CASE("where a claim asks what fits, the only device with room wins") {
  const auto with_room = [](Record record, int batch) {
    record.step->whole_model = Capacity{.largest_batch = batch};
    return record;
  };
  const Given given({{with_room(made_step(mi300x, "decode", 8, 2e-3), 8)},
                     {with_room(made_step(h100, "decode", 8, 1e-3), 2)}});
  Claim claim = speed_claim({1, unbounded});
  claim.aggregate = Claim::Aggregate::some;
  CHECK(given.judge(claim).findings.at(0).judgement == Judgement::contradicted);
  claim.must_fit = true;
  const Judged judged = given.judge(claim);
  CHECK(judged.findings.at(0).judgement == Judgement::supported);
  CHECK(claim_tables(std::vector{judged}).at(1).rows.at(0)[5] == "fits the first alone");
}

TEST_CASE("utilisation is compared between phases of one device") {
  // Shares of 2e12: 1e9 in 1 ms is 1/2, in 4 ms 1/8.
  const Given given({{made_step(h100, "train", 1, 1e-3), made_step(h100, "decode", 1, 4e-3)}});
  Claim claim{.name = "u",
              .quantity = Claim::Quantity::utilisation,
              .band = {1, unbounded},
              .sides = {{.phases = {"train"}}, {.phases = {"prefill", "decode"}}}};
  const Finding finding = given.judge(claim).findings.at(0);
  CHECK(finding.a == std::string(h100) + ", phase train");
  CHECK(finding.b == "phase prefill, decode");
  CHECK(finding.value == Approx(4));
  CHECK(finding.judgement == Judgement::supported);
  std::swap(claim.sides[0], claim.sides[1]);
  CHECK(given.judge(claim).findings.at(0).judgement == Judgement::contradicted);
}

TEST_CASE("batches are compared along each curve of one device") {
  // 8e9 in 2 ms over 1e9 in 1 ms.
  const Given given({{made_step(h100, "decode", 1, 1e-3), made_step(h100, "decode", 4, 1e-3),
                      made_step(h100, "decode", 8, 2e-3)}});
  const Claim claim{.name = "b",
                    .aggregate = Claim::Aggregate::largest_batch,
                    .band = {1, unbounded},
                    .sides = {{.phases = {"decode"}}}};
  const Finding finding = given.judge(claim).findings.at(0);
  CHECK(finding.value == Approx(4));
  CHECK(finding.rows == 1);
  CHECK(finding.note == "knees of these curves at batch 4");  // 4 in the time of 1, 8 in twice it
  const Given one({{made_step(h100, "decode", 8, 2e-3)}});
  CHECK(one.judge(claim).missing ==
        std::vector<std::string>{"any row on phase decode at two batch sizes or more"});
}

TEST_CASE("value needs prices, and all that are given count") {
  const Given given({{made_step(mi300x, "decode", 1, 2e-3)}, {made_step(h100, "decode", 1, 1e-3)}});
  Claim claim = speed_claim({1, unbounded});
  claim.quantity = Claim::Quantity::speed_per_price;
  CHECK(given.judge(claim).findings.empty());
  CHECK(given.judge(claim).missing.at(0) ==
        "AMD Instinct MI300X and NVIDIA H100 80GB HBM3: no prices in one currency: --prices FILE "
        "gives them");
  const Price cheap{.gpu = "MI300X", .currency = "USD", .per_device_hour = 1},
      dear{.gpu = "H100-SXM5-80GB", .currency = "USD", .per_device_hour = 4};
  // Half as fast for a quarter of the price.
  const Finding better = given.judge(claim, {cheap, dear}).findings.at(0);
  CHECK(better.value == Approx(2));
  CHECK(better.judgement == Judgement::supported);
  Price same = cheap;
  same.per_device_hour = 4;
  CHECK(given.judge(claim, {cheap, same, dear}).findings.at(0).judgement == Judgement::mixed);
  Price euros = dear;
  euros.currency = "EUR";
  CHECK(given.judge(claim, {cheap, euros}).findings.empty());
}

TEST_CASE("a share of peak is relative to each device's own datasheet") {
  Record a = made(
             {.id = "gemm/bf16/nn/1x1x1", .tier = "library", .half = 0, .device_name = mi300x}),
         b = made({.id = "gemm/bf16/nn/1x1x1", .tier = "library", .half = 0, .device_name = h100});
  for (Record* record : {&a, &b}) record->problem = {{"kind", "gemm"}, {"a", "bf16"}};
  const Given given({{a}, {b}});
  Claim claim = speed_claim({0, 1});
  claim.quantity = Claim::Quantity::share_of_peak;
  const double peaks =
      find_spec(mi300x)->peak("bf16")->value / find_spec(h100)->peak("bf16")->value;
  CHECK(given.judge(claim).findings.at(0).value == Approx(1 / peaks));
}

TEST_CASE("one die is not the package that a claim is of") {
  Record die = made_step("AMD Instinct MI250X / MI250", "train", 1, 2e-3);
  die.unit = "gcd";
  Claim claim = speed_claim({0.7, 0.8});
  claim.sides[0].gpus = {"MI250", "MI250-GCD"};
  const std::vector<Record> other = {made_step(h100, "train", 1, 1e-3)};
  const Judged judged = Given({{die}, other}).judge(claim);
  CHECK(judged.findings.empty());
  CHECK(judged.missing.at(0).ends_with("and rows of one die are not rows of a package"));
  Record both = die;
  both.unit = "package";
  both.together = {{.device = "hip:0"}, {.device = "hip:1"}};
  // Both solve a problem each, in twice the time of one.
  CHECK(Given({{both}, other}).judge(claim).findings.at(0).value == Approx(1));
  claim.per_package = false;
  CHECK(Given({{die}, other}).judge(claim).findings.at(0).value == Approx(0.5));
}

TEST_CASE("published numbers are judged apart, within one series, per device") {
  const Given nothing({});
  Claim claim = speed_claim({1, unbounded});
  claim.scenarios = {"*"};
  std::vector<Published> numbers = {number("MI300X", 800, "s1"),
                                    number("H100-SXM5-80GB", 400, "s1"),
                                    number("MI300X", 300, "s2"), number("H100-SXM5-80GB", 1, "s3")};
  numbers[0].devices = 4;  // 200 each
  const Judged judged = nothing.judge(claim, {}, numbers);
  REQUIRE(judged.findings.size() == 1);
  CHECK(judged.findings[0].is_published);
  CHECK(judged.findings[0].value == Approx(0.5));
  CHECK(judged.findings[0].note == "S, 2025");
  CHECK(overall(judged, true) == Judgement::contradicted);
  CHECK(overall(judged, false) == Judgement::not_measured);
  const auto tables = claim_tables(std::vector{judged});
  CHECK(tables.at(0).rows.at(0)[3] == "contradicted (n = 1)");
  CHECK(tables.at(1).rows.at(0)[1] == "published by others");
  CHECK(tables.at(1).rows.at(0)[6] == "none");
  numbers[1].flag = "above the dense peak";
  CHECK(nothing.judge(claim, {}, numbers).findings.empty());
}

TEST_CASE("times and ratios that are published count too") {
  const Given nothing({});
  Claim claim = speed_claim({1, unbounded});
  claim.scenarios = {"*"};
  claim.source = "S";
  Published minutes = number("MI300X", 30, "t"), fewer = number("H100-SXM5-80GB", 15, "t"),
            ratio = number("MI300X", 2, "");
  minutes.unit = fewer.unit = "s";
  ratio.unit = "ratio";
  ratio.reference = "H100-SXM5-80GB";
  CHECK(nothing.judge(claim, {}, {minutes, fewer}).findings.at(0).value == Approx(0.5));
  const Finding both = nothing.judge(claim, {}, {minutes, fewer, ratio}).findings.at(0);
  CHECK(both.value == Approx(1));
  CHECK(both.rows == 2);
  CHECK(both.note == "S, 2025");
  CHECK(both.by_own_source);
  fewer.source = "T";
  CHECK_FALSE(nothing.judge(claim, {}, {minutes, fewer, ratio}).findings.at(0).by_own_source);
}
