// SPDX-License-Identifier: Apache-2.0
#include "reports/published.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reports/specs.h"
#include "tests/catch.h"

namespace steelyard {
namespace {

const Published& named(std::string_view id) {
  const auto found = std::ranges::find(published(), id, &Published::id);
  REQUIRE(found != published().end());
  return *found;
}

std::vector<Published> of_series(std::string_view series) {
  std::vector<Published> found;
  std::ranges::copy_if(published(), std::back_inserter(found),
                       [&](const Published& one) { return one.series == series; });
  return found;
}

TEST_CASE("every published value has a known GPU, a dated source, a confidence and conditions") {
  std::set<std::string> ids;
  CHECK(published().size() == 663);
  for (const Published& one : published()) {
    CAPTURE(one.id);
    CHECK(ids.insert(one.id).second);
    CHECK(spec_named(one.gpu));
    CHECK(one.value > 0);
    CHECK_FALSE(one.source.empty());
    CHECK(one.url.starts_with("https://"));
    CHECK_FALSE(one.date.empty());
    CHECK_FALSE(one.conditions.empty());
    CHECK((one.confidence == "primary" || one.confidence == "secondary"));
    CHECK(std::set<std::string>{"", "train", "lora", "prefill", "serve"}.contains(one.phase));
    CHECK((one.unit == "ratio") == !one.reference.empty());
  }
}

TEST_CASE("values of one series have one unit and one peak") {
  std::map<std::string, std::pair<std::string, std::string>> kinds;
  for (const Published& one : published()) {
    if (one.series.empty()) continue;
    CAPTURE(one.id, one.series);
    const auto [at, is_new] = kinds.emplace(one.series, std::pair(one.unit, one.peak));
    CHECK(at->second == std::pair(one.unit, one.peak));
  }
}

TEST_CASE("every rate of operations names the peak that bounds it") {
  for (const Published& one : published()) {
    CAPTURE(one.id);
    if (one.unit == "FLOP/s") CHECK_FALSE(one.peak.empty());
  }
}

TEST_CASE("of the file only a write rate is above its datasheet, which says \"> 2 TB/s\"") {
  std::vector<std::string> above;
  for (const Published& one : published())
    if (one.flag.starts_with("above")) above.push_back(one.id + ": " + one.flag);
  CHECK(above == std::vector<std::string>{"h100-pcie-80gb-hbm-stream-init: above the datasheet's "
                                          "bandwidth of 2.000 TB/s"});
}

TEST_CASE("published values are loaded in SI units") {
  CHECK(named("mi300x-mamf-gemm-bf16").value == Approx(668.4e12));
  CHECK(named("mi300x-mamf-gemm-bf16").unit == "FLOP/s");
  CHECK(named("mi300x-hbm-stream-triad").value == Approx(4000e9));
  CHECK(named("h100-sxm5-80gb-mlperf-llama2-70b-lora").value == Approx(29.49 * 60));
}

TEST_CASE("the training ratios of the MI250 are of packages, to two A100s") {
  const Published& of_80 = named("mi250-llm-training-vs-a100-80gb");
  const Published& of_40 = named("mi250-llm-training-vs-a100-40gb");
  CHECK(of_80.value == 0.73);
  CHECK(of_40.value == 0.80);
  CHECK(of_80.reference == "A100-SXM4-80GB");
  CHECK(of_40.reference == "A100-SXM4-40GB");
  for (const Published* one : {&of_80, &of_40}) {
    CHECK(spec_named(one->gpu)->unit == "package");
    CHECK(one->phase == "train");
    CHECK(one->conditions.find("counted as one package") != one->conditions.npos);
  }
}

TEST_CASE("a GCD is no package: its library's rate stands under its own name") {
  CHECK(named("mi250-1-gcd-gemm-fp16-hipblaslt-2").gpu == "MI250-GCD");
  CHECK(named("mi250x-1-gcd-mamf-v1-gemm-bf16").gpu == "MI250X-GCD");
}

TEST_CASE("what eight GPUs made together says so; what a source divides by GPUs is of one") {
  const auto dell = of_series("MLPerf Inference v4.1, Llama2-70B offline, Dell XE9680");
  REQUIRE(dell.size() == 3);
  for (const Published& one : dell) CHECK(one.devices == 8);
  CHECK(named("a100-sxm4-80gb-mpt-7b-train-tokens").devices == 1);
}

TEST_CASE("series give the ratios that the document reports") {
  const auto ratio = [](std::string_view series, std::string_view gpu, std::string_view to) {
    const auto all = of_series(series);
    const auto value = [&](std::string_view name) {
      const auto found = std::ranges::find(all, name, &Published::gpu);
      REQUIRE(found != all.end());
      return found->value;
    };
    return value(gpu) / value(to);
  };
  CHECK(ratio("MAMF, bf16", "MI300X", "H100-SXM5-80GB") == Approx(0.84).epsilon(0.01));
  CHECK(ratio("MLPerf Inference v4.1, Llama2-70B offline, Dell XE9680", "MI300X",
              "H100-SXM5-80GB") == Approx(0.94).epsilon(0.01));
  CHECK(ratio("LLM Foundry 2024-01, MPT-7B, tokens", "H100-SXM5-80GB", "A100-SXM4-80GB") ==
        Approx(2.29).epsilon(0.01));
  CHECK(ratio("HipKittens 2025-11, GEMM bf16 8192, vendor's library", "MI355X", "B200-SXM-180GB") ==
        Approx(1.08).epsilon(0.01));
}

TEST_CASE("known defects are flagged") {
  CHECK_FALSE(named("mi300x-gemm-fp8-scaled-mm-software-defect").flag.empty());
  CHECK_FALSE(named("mi300x-mlperf-bert-train").flag.empty());
  CHECK_FALSE(named("h200-sxm-141gb-hbm-stream-read").flag.empty());
}

TEST_CASE("attention of a stated shape is the suite's problem") {
  const auto problems =
      std::ranges::count_if(published(), [](const Published& one) { return !one.problem.empty(); });
  CHECK(problems == 128);
  CHECK(named("mi300x-aiter-fwd-bf16-d128-gqa").problem ==
        "attention/forward/bf16/b1-h64-kv8/1024x1024x128");
}

constexpr std::string_view good = R"("id": "x", "gpu": "H100-PCIe-80GB", "metric": "gemm",
    "value": 700, "unit": "TFLOP/s", "peak": "bf16", "conditions": "c", "source": "s")";

std::string file_of(const std::string& entry) {
  return fmt::format(R"({{"sources": {{"s": {{"title": "t", "url": "https://t", "date": "2024",
      "confidence": "primary"}}}}, "measured": [{{{}}}]}})",
                     entry);
}

std::string with(std::string_view from, std::string_view to) {
  std::string entry(good);
  return file_of(entry.replace(entry.find(from), from.size(), to));
}

std::string error_of(const std::string& text) {
  try {
    parse_published(text);
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a published value above the dense peak is flagged by name") {
  CHECK(parse_published(file_of(std::string(good))).front().flag.empty());
  CHECK(parse_published(with("700", "1513")).front().flag ==
        "above the dense peak of 756.0 TFLOP/s");
  CHECK(parse_published(with("\"unit\"", "\"devices\": 8, \"unit\"")).front().flag.empty());
  CHECK(parse_published(with("\"TFLOP/s\", \"peak\": \"bf16\"", "\"GB/s\", \"peak\": \"memory\""))
            .front()
            .flag.empty());
}

TEST_CASE("a broken entry is named") {
  using Catch::Matchers::StartsWith;
  CHECK(error_of("{") != "");
  CHECK_THAT(error_of(with("H100-PCIe-80GB", "H100")),
             StartsWith("data/published.json: x: unknown GPU H100"));
  CHECK_THAT(error_of(with("TFLOP/s", "furlongs")),
             StartsWith("data/published.json: x: unknown unit furlongs"));
  CHECK_THAT(error_of(with("700", "0")), StartsWith("data/published.json: x: a value"));
  CHECK_THAT(error_of(with("\"peak\"", "\"paek\"")),
             StartsWith("data/published.json: x: unknown key paek"));
  CHECK_THAT(error_of(with("\"s\"", "\"none\"")), StartsWith("data/published.json: x:"));
  const std::string ratio = "\"ratio\"";
  CHECK_THAT(error_of(with("\"TFLOP/s\"", ratio)),
             StartsWith("data/published.json: x: a ratio, and nothing else, has a reference"));
  CHECK_THAT(error_of(with("\"TFLOP/s\"", ratio + R"(, "reference": "H100-PCIe-80GB")")),
             StartsWith("data/published.json: x: a ratio to itself"));
  CHECK_THAT(error_of(with("\"conditions\": \"c\", ", "")), StartsWith("data/published.json: x:"));
}

}  // namespace
}  // namespace steelyard
