// SPDX-License-Identifier: Apache-2.0
// What published numbers say to claims.
#include <limits>

#include "catch.h"
#include "reports/claims.h"

using namespace steelyard;

namespace {

Claim speed_claim() {
  return {.name = "c",
          .text = "A is B",
          .scenarios = {"*"},
          .band = {1, std::numeric_limits<double>::infinity()},
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

Judged judged_by(const Claim& claim, const std::vector<Published>& numbers) {
  return judge(std::vector{claim}, {{}, {}, numbers}).at(0);
}

}  // namespace

TEST_CASE("published numbers are judged apart, within one series, per device") {
  Claim claim = speed_claim();
  std::vector<Published> numbers = {number("MI300X", 800, "s1"),
                                    number("H100-SXM5-80GB", 400, "s1"),
                                    number("MI300X", 300, "s2"), number("H100-SXM5-80GB", 1, "s3")};
  numbers[0].devices = 4;  // 200 each
  const Judged judged = judged_by(claim, numbers);
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
  CHECK(judged_by(claim, numbers).findings.empty());
}

TEST_CASE("times and ratios that are published count too") {
  Claim claim = speed_claim();
  claim.source = "S";
  Published minutes = number("MI300X", 30, "t"), fewer = number("H100-SXM5-80GB", 15, "t"),
            ratio = number("MI300X", 2, "");
  minutes.unit = fewer.unit = "s";
  ratio.unit = "ratio";
  ratio.reference = "H100-SXM5-80GB";
  CHECK(judged_by(claim, {minutes, fewer}).findings.at(0).value == Approx(0.5));
  const Finding both = judged_by(claim, {minutes, fewer, ratio}).findings.at(0);
  CHECK(both.value == Approx(1));
  CHECK(both.rows == 2);
  CHECK(both.note == "S, 2025");
  CHECK(both.by_own_source);
  fewer.source = "T";
  CHECK_FALSE(judged_by(claim, {minutes, fewer, ratio}).findings.at(0).by_own_source);
}

TEST_CASE("published numbers are a claim's own by the whole title of their source") {
  Claim claim = speed_claim();
  std::vector<Published> numbers = {number("MI300X", 2, "s"), number("H100-SXM5-80GB", 1, "s")};
  for (Published& one : numbers) {
    one.source = "AMD ROCm blog: inference";
    one.url = "https://amd.com/1";
  }
  const auto is_own = [&](const std::string& source) {
    claim.source = source;
    return judged_by(claim, numbers).findings.at(0).by_own_source;
  };
  CHECK(is_own("AMD ROCm blog: inference"));
  CHECK(is_own("AMD ROCm blog: inference, https://amd.com/1"));
  CHECK_FALSE(is_own("AMD"));
  CHECK_FALSE(is_own("AMD ROCm blog"));
  CHECK_FALSE(is_own(""));
}

TEST_CASE("the claim of MI250 in training has published numbers of its own source alone") {
  const auto claims = shipped_claims();
  const auto claim = std::ranges::find(claims, "mi250-training", &Claim::name);
  REQUIRE(claim != claims.end());
  const auto findings = judge(std::vector{*claim}, {{}, {}, published()}).at(0).findings;
  CHECK(findings.size() == 2);  // to the A100 of 40 and of 80 GB
  for (const Finding& finding : findings) CHECK(finding.by_own_source);
}

TEST_CASE("a published number of a die says nothing of its package") {
  Claim claim = speed_claim();
  claim.sides[0].gpus = {"MI250", "MI250-GCD"};
  const std::vector<Published> numbers = {number("MI250-GCD", 3, "s"),
                                          number("H100-SXM5-80GB", 6, "s")};
  const Judged judged = judged_by(claim, numbers);
  CHECK(judged.findings.empty());
  CHECK(judged.missing ==
        std::vector<std::string>{"published numbers of MI250-GCD and H100-SXM5-80GB: those of one "
                                 "die are not of a package"});
  std::vector<Published> with_package = numbers;
  with_package.push_back(number("MI250", 3, "s"));
  CHECK(judged_by(claim, with_package).findings.at(0).a == "MI250");
  CHECK(judged_by(claim, with_package).findings.size() == 1);
  claim.per_package = false;
  CHECK(judged_by(claim, numbers).findings.at(0).value == Approx(0.5));
}

TEST_CASE("published numbers that no glob of a claim matches are flagged by name") {
  const std::vector<Published> numbers = {number("MI300X", 2, "s"),
                                          number("H100-SXM5-80GB", 1, "t")};
  const auto missing = [&](auto change) {
    Claim claim = speed_claim();
    change(claim);
    return judged_by(claim, numbers).missing;
  };
  using Texts = std::vector<std::string>;
  CHECK(missing([](Claim& c) { c.scenarios = {"nosuch*"}; }) ==
        Texts{"published numbers: scenario nosuch* on MI300X",
              "published numbers: scenario nosuch* on H100*"});
  CHECK(missing([](Claim& c) { c.sides[0].phases = {"trian"}; }) ==
        Texts{"published numbers: phase trian on MI300X"});
  CHECK(missing([](Claim& c) { c.sides[1].gpus = {"H10"}; }) ==
        Texts{"published numbers: gpu H10"});
  CHECK(missing([](Claim& c) { c.sides[1] = {.vendors = {"NVIDA"}}; }) ==
        Texts{"published numbers: vendor NVIDA"});
  CHECK(missing([](Claim&) {}) == Texts{"published numbers: no series with both MI300X and H100*"});
  CHECK(missing([](Claim& c) { c.quantity = Claim::Quantity::speed_per_price; }) ==
        Texts{"published numbers: no prices"});
}
