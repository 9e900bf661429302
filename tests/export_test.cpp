// SPDX-License-Identifier: Apache-2.0
#include "reports/export.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/made_results.h"

namespace steelyard {
namespace {

TEST_CASE("a result becomes what github-action-benchmark charts") {
  const Results results = made_results("r", {made({.seconds = 2e-3, .half = 0.02})});
  const auto json = nlohmann::json::parse(github_action_json(measurements(results)));
  REQUIRE(json.size() == 1);
  CHECK(json[0].at("name") ==
        "gemm/f32/nn/1024x1024x1024/packed/portable/cuda:0/normal/rotate/burst");
  CHECK(json[0].at("unit") == "s");
  CHECK(json[0].at("value") == 2e-3);
  CHECK(json[0].at("range") == "± 2.00 %");
  CHECK(json[0].at("extra") == "1.000 TFLOP/s");
}

TEST_CASE("a result becomes Bencher's metrics, with bounds") {
  const Results results = made_results("r", {made({.seconds = 2e-3, .half = 0.02})});
  const auto json = nlohmann::json::parse(bencher_json(measurements(results)));
  const auto& latency = json.at(key(results.files[0].records[0])).at("latency");
  CHECK(latency.at("value").get<double>() == Approx(2e6));
  CHECK(latency.at("lower_value").get<double>() == Approx(1.96e6));
  CHECK(latency.at("upper_value").get<double>() == Approx(2.04e6));
}

TEST_CASE("rows that were not measured are not exported") {
  const Results results = made_results("r", {made_unmeasured({}, Status::failed, "lost")});
  CHECK(nlohmann::json::parse(github_action_json(measurements(results))).empty());
  CHECK(nlohmann::json::parse(bencher_json(measurements(results))).empty());
}

}  // namespace
}  // namespace steelyard
