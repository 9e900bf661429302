// SPDX-License-Identifier: Apache-2.0
#include "reports/measurement.h"

#include <cmath>
#include <random>
#include <vector>

#include "tests/catch.h"

namespace steelyard {
namespace {

Record row(const std::string& id, double seconds) {
  return {.id = id,
          .family = "gemm",
          .kernel = "tile",
          .tier = "portable",
          .device = "cuda:0",
          .device_name = "NVIDIA H100 80GB HBM3",
          .unit = "package",
          .problem = {{"kind", "gemm"}, {"a", "bf16"}, {"b", "bf16"}, {"c", "f32"}},
          .flops = 1e12,
          .bytes = 1e9,
          .timing = {.median_seconds = seconds,
                     .ci95_seconds = {0.9 * seconds, 1.2 * seconds},
                     .converged = true},
          .verdict = {.ok = true}};
}

std::vector<Measurement> measure(const Results& results) {
  return measurements(results);
}

Results of(std::vector<Record> rows) {
  return {"set", {{.records = std::move(rows)}}};
}

TEST_CASE("a single run keeps its own interval") {
  const auto results = of({row("gemm/a", 2.0)});
  const auto rows = measure(results);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].time.seconds == 2.0);
  CHECK(rows[0].time.ci95.lower == 1.8);
  CHECK(rows[0].time.ci95.upper == 2.4);
  CHECK(half_width(rows[0].time) == "20.00 %");
}

TEST_CASE("several runs of a row have the median of their medians and Student's interval") {
  const auto results = of({row("gemm/a", 1.00), row("gemm/a", 1.02), row("gemm/a", 1.10)});
  const auto rows = measure(results);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].runs.size() == 3);
  CHECK(rows[0].time.seconds == 1.02);
  // By hand: logarithms 0, 0.0198026, 0.0953102; mean 0.0383709, deviation 0.0503, t(2) = 4.30265.
  const double mean = std::log(1.0 * 1.02 * 1.10) / 3;
  const double deviation = std::sqrt((std::pow(mean, 2) + std::pow(std::log(1.02) - mean, 2) +
                                      std::pow(std::log(1.10) - mean, 2)) /
                                     2);
  const double half = 4.30265 * deviation / std::sqrt(3.0);
  CHECK(rows[0].time.ci95.lower == Approx(std::exp(mean - half)).epsilon(1e-5));
  CHECK(rows[0].time.ci95.upper == Approx(std::exp(mean + half)).epsilon(1e-5));
}

TEST_CASE("the interval of several runs contains their point") {
  const std::vector<Estimate> equal_but_one = {{1, {}}, {1, {}}, {1, {}}, {1, {}}, {1, {}},
                                               {1, {}}, {1, {}}, {1, {}}, {4, {}}};
  const Estimate estimate = combine(equal_but_one);
  CHECK(estimate.seconds == 1);
  CHECK(estimate.ci95.lower <= 1);
  CHECK(estimate.ci95.upper >= 1);
}

TEST_CASE("the interval of several runs covers the true time in 95 % of experiments") {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> run(0, 0.03);  // median 1
  for (const std::size_t runs : {2u, 3u, 5u, 10u}) {
    int covered = 0;
    constexpr int experiments = 4000;
    for (int experiment = 0; experiment < experiments; ++experiment) {
      std::vector<Estimate> estimates(runs);
      for (auto& estimate : estimates) estimate.seconds = run(random);
      const auto ci95 = combine(estimates).ci95;
      covered += ci95.lower <= 1 && 1 <= ci95.upper;
    }
    CAPTURE(runs, covered);
    CHECK(covered >= experiments * 0.936);
    CHECK(covered <= experiments * 0.970);
  }
}

TEST_CASE("runs that were not made alike are not joined") {
  auto other = row("gemm/a", 1.0);
  other.identity = comparability({{"seed", std::int64_t{7}}});
  const auto results = of({row("gemm/a", 1.0), other});
  CHECK(measure(results).size() == 2);
}

TEST_CASE("rows are in natural order of their problems, library before portable") {
  auto library = row("gemm/64x64", 1);
  library.tier = "library";
  const auto results =
      of({row("gemm/1024x64", 1), row("gemm/64x64", 1), row("gemm/64x128", 1), library});
  std::vector<std::string> order;
  for (const auto& measurement : measure(results))
    order.push_back(measurement.row().id + " " + measurement.row().tier);
  CHECK(order == std::vector<std::string>{"gemm/64x64 library", "gemm/64x64 portable",
                                          "gemm/64x128 portable", "gemm/1024x64 portable"});
}

TEST_CASE("rows that are not ok are no measurements") {
  auto failed = row("gemm/a", 1.0);
  failed.status = Status::failed;
  const auto results = of({failed});
  CHECK(measure(results).empty());
}

TEST_CASE("compute is judged by operations, memory by bytes and latency by steps") {
  auto gemm = row("gemm/a", 2.0);
  auto memory = row("memory/a", 2.0);
  memory.family = "memory";
  auto chase = memory;
  chase.steps = 1e9;
  const auto text = [](const Record& record) {
    return performance({.runs = {&record}, .time = {.seconds = 2.0}});
  };
  CHECK(text(gemm) == "500.0 GFLOP/s");
  CHECK(text(memory) == "500.0 MB/s");
  CHECK(text(chase) == "2.000 ns/step");
}

TEST_CASE("the share of the peak follows the type of A, or the bandwidth") {
  const auto share = [](const Record& record, double seconds) {
    return share_of_peak({.runs = {&record}, .time = {.seconds = seconds}});
  };
  auto gemm = row("gemm/a", 1);
  CHECK(*share(gemm, 1e12 / 494.7e12) == Approx(0.5));  // 989.4 TFLOP/s
  gemm.problem[1].second = "fp8_e4m3";
  CHECK(*share(gemm, 1e12 / 989.45e12) == Approx(0.5));
  gemm.problem[1].second = "int4";
  CHECK_FALSE(share(gemm, 1));
  auto memory = row("memory/a", 1);
  memory.family = "memory";
  CHECK(*share(memory, 1e9 / 3.35e12) == Approx(1));
  memory.steps = 5;
  CHECK_FALSE(share(memory, 1));
  gemm.device_name = "AMD EPYC";
  CHECK_FALSE(share(gemm, 1));
}

TEST_CASE("bytes of a cache and of the link to the host are no share of the memory's bandwidth") {
  const auto has_share = [](const std::string& id, const char* cache) {
    Record copy = row(id, 1);
    copy.family = "memory";
    copy.cache = cache;
    return share_of_peak({.runs = {&copy}, .time = {.seconds = 1}}).has_value();
  };
  CHECK(has_share("memory/read/f64/128MiB", "rotate"));
  CHECK_FALSE(has_share("memory/read/f64/128MiB", "hot"));
  CHECK(has_share("copy/d2d/pinned/64MiB", "rotate"));
  CHECK_FALSE(has_share("copy/h2d/pinned/64MiB", "rotate"));
  CHECK_FALSE(has_share("copy/d2h/pageable/64MiB", "rotate"));
  auto gemm = row("gemm/a", 1);
  gemm.cache = "hot";
  CHECK(share_of_peak({.runs = {&gemm}, .time = {.seconds = 1}}));  // it computes all the same
}

TEST_CASE("a package of two dies has the peak of both") {
  auto gemm = row("gemm/a", 1);
  gemm.device_name = "AMD Instinct MI250X/MI250";
  const auto share = [&](const char* unit) {
    gemm.unit = unit;
    return *share_of_peak({.runs = {&gemm}, .time = {.seconds = 1e12 / 181.05e12}});
  };
  CHECK(share("gcd") == Approx(1));
  CHECK(share("package") == Approx(0.5));
}

TEST_CASE("of two products with one name the row's compute units tell which it is") {
  auto gemm = row("gemm/a", 1);
  gemm.device_name = "AMD Instinct MI250X / MI250";
  gemm.unit = "gcd";
  const auto with = [&](std::int64_t compute_units) {
    gemm.conditions = comparability({{"compute_units", compute_units}});
    return peak(gemm)->value;
  };
  CHECK(with(104) == Approx(181.05e12));
  CHECK(doubt_of_product(gemm).empty());
  CHECK(with(110) == Approx(191.5e12));
  CHECK(doubt_of_product(gemm).empty());
  gemm.conditions = nullptr;
  CHECK(peak(gemm)->value == Approx(181.05e12));
  CHECK(doubt_of_product(gemm) ==
        "AMD Instinct MI250X / MI250 is MI250-GCD or MI250X-GCD: the result's compute units do not "
        "tell. Taken for MI250-GCD.");
}

TEST_CASE("flags name every reason for doubt once") {
  auto first = row("gemm/a", 1), second = row("gemm/a", 1);
  first.timing.converged = second.timing.converged = false;
  second.timing.settled = false;
  second.timing.flags = {"drifted 3 %"};
  second.verdict.deterministic = false;
  CHECK(flags({.runs = {&first, &second}}) ==
        "not converged, not settled, nondeterministic, drifted 3 %");
  const auto calm = row("gemm/a", 1);
  CHECK(flags({.runs = {&calm}}).empty());
}

}  // namespace
}  // namespace steelyard
