// SPDX-License-Identifier: Apache-2.0
// What results say to claims.
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
  Judged judge(const Claim& claim, std::vector<Price> prices = {}) const {
    return steelyard::judge(std::vector{claim}, {devices, prices, {}}).at(0);
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
  CHECK(finding.note.empty());
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

TEST_CASE("a mean of one row says how little that is") {
  const Given given({{made_step(mi300x, "train", 1, 1e-3)}, {made_step(h100, "train", 1, 1e-3)}});
  Claim claim = speed_claim({0.9, 1.1});
  CHECK(given.judge(claim).findings.at(0).note == "one row: says nothing of others like it");
  claim.aggregate = Claim::Aggregate::some;
  CHECK(given.judge(claim).findings.at(0).note ==
        "1 of 1 rows lie in the band; the largest: transformer/toy/train/b1");
}

TEST_CASE("a device that is not there is flagged by name") {
  const Given given({{made_step(h100, "train", 1, 2e-3)}});
  Claim claim = speed_claim({0.7, 0.8});
  claim.rows = {"transformer/*"};
  claim.source = "a source";
  claim.date = "2026-01-02";
  claim.decides = "Little.";
  const Judged judged = given.judge(claim);
  CHECK(judged.findings.empty());
  CHECK(overall(judged, false) == Judgement::not_measured);
  CHECK(judged.missing == std::vector<std::string>{"gpu MI300X"});
  const auto tables = claim_tables(std::vector{judged});
  CHECK(tables.at(0).notes.at(0) == "c: a source, 2026-01-02. Little. Not found: gpu MI300X.");
  CHECK(tables.at(0).rows.at(0)[2] == "not measured");
  CHECK(tables.at(1).rows.empty());
}

TEST_CASE("globs that match nothing are flagged by name, those that match are not") {
  const Given given({{made_step(mi300x, "train", 1, 1e-3)}, {made_step(h100, "decode", 1, 1e-3)}});
  const auto missing = [&](auto change) {
    Claim claim = speed_claim({0.7, 0.8});
    claim.rows = {"transformer/*"};
    change(claim);
    return given.judge(claim).missing;
  };
  using Texts = std::vector<std::string>;
  CHECK(missing([](Claim& c) { c.tiers = {"libary"}; }) ==
        Texts{"tier libary on MI300X", "tier libary on H100*"});
  CHECK(missing([](Claim& c) {
          c.rows = {"gem/*", "x"};
        }) == Texts{"rows gem/*, x on MI300X", "rows gem/*, x on H100*"});
  CHECK(missing([](Claim& c) { c.sides[0].phases = {"trian"}; }) == Texts{"phase trian on MI300X"});
  CHECK(missing([](Claim& c) { c.sides[1] = {.vendors = {"NVIDA"}, .devices = {"cud:*"}}; }) ==
        Texts{"vendor NVIDA and device cud:*"});
  CHECK(missing([](Claim& c) { c.sides[1].vendors = {"AMD"}; }) ==
        Texts{"gpu H100* with vendor AMD"});  // each is there, but not of one device
  CHECK(missing([](Claim& c) {
          c.rows = {"*/train/*"};
          c.sides[0].phases = {"train"};
        }) == Texts{"rows */train/* on H100*"});
  CHECK(missing([](Claim& c) { c.sides[1] = c.sides[0]; }) == Texts{"two GPUs, MI300X and MI300X"});
  CHECK(missing([](Claim& c) {
          c.quantity = Claim::Quantity::utilisation;
          c.sides = {{.phases = {"train"}}, {.phases = {"lroa"}}};
        }).at(0) == "phase lroa on any device");
  CHECK(missing([](Claim& c) {
          c.aggregate = Claim::Aggregate::largest_batch;
          c.sides = {{.gpus = {"MI300X"}, .phases = {"decode"}}};
        }) == Texts{"phase decode on MI300X"});
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

TEST_CASE("a chain of phases is as good as its worst link") {
  const Claim claim{.name = "u",
                    .quantity = Claim::Quantity::utilisation,
                    .band = {1, unbounded},
                    .sides = {{.phases = {"train"}}, {.phases = {"lora"}}, {.phases = {"decode"}}}};
  const auto verdict = [&](std::vector<std::vector<Record>> of_devices) {
    return overall(Given(std::move(of_devices)).judge(claim), false);
  };
  const Record train = made_step(h100, "train", 1, 1e-3), lora = made_step(h100, "lora", 1, 2e-3),
               slow_lora = made_step(h100, "lora", 1, 8e-3),
               decode = made_step(h100, "decode", 1, 4e-3);
  CHECK(verdict({{train, lora, decode}}) == Judgement::supported);
  CHECK(verdict({{train, slow_lora, decode}}) == Judgement::contradicted);  // by its second link
  CHECK(verdict({{train, lora}}) == Judgement::not_measured);
  CHECK(verdict({{slow_lora, decode}}) == Judgement::contradicted);
  CHECK(verdict({{train, lora, decode},
                 {made_step(mi300x, "train", 1, 9e-3), made_step(mi300x, "lora", 1, 2e-3)}}) ==
        Judgement::mixed);
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
        std::vector<std::string>{"two batch sizes of one step on any device"});
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

TEST_CASE("several packages together are not the one that a claim is of") {
  Record two = made_step(h100, "train", 1, 1e-3);
  two.unit = "node";
  two.device = "cuda:0+1";
  two.together = {{.device = "cuda:0"}, {.device = "cuda:1"}};
  Claim claim = speed_claim({0.7, 0.8});
  const std::vector<Record> other = {made_step(mi300x, "train", 1, 1e-3)};
  const Judged judged = Given({other, {two}}).judge(claim);
  CHECK(judged.findings.empty());
  CHECK(judged.missing.at(0).ends_with("and rows of several packages are not rows of one"));
  two.unit = "package";  // as a file may say that this suite did not write
  CHECK(Given({other, {two}}).judge(claim).findings.empty());
  // A die of each of two packages.
  Record dies = made_step("AMD Instinct MI250X / MI250", "train", 1, 1e-3);
  dies.unit = "node";
  dies.together = {{.device = "hip:1"}, {.device = "hip:2"}};
  claim.sides[1].gpus = {"MI250*"};
  CHECK(Given({other, {dies}})
            .judge(claim)
            .missing.at(0)
            .ends_with("and rows of several packages are not rows of one"));
  // They solve twice as much.
  claim.sides[1].gpus = {"H100*"};
  claim.per_package = false;
  CHECK(Given({other, {two}}).judge(claim).findings.at(0).value == Approx(0.5));
}
