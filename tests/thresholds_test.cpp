// SPDX-License-Identifier: Apache-2.0
#include "reports/thresholds.h"

#include "tests/catch.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

using std::chrono::operator""y;
constexpr std::chrono::sys_days today = 2026y / 6 / 15;

Thresholds read(const std::string& text) {
  const Sandbox sandbox;
  sandbox.write("t.toml", text);
  return read_thresholds(sandbox / "t.toml", today);
}

const Series gemm = {.row = "gemm/bf16/nn/1x1x1/onednn/library/cpu:0/normal/rotate/burst",
                     .metric = "time",
                     .device = "cpu:0",
                     .dtype = "bf16",
                     .tier = "library"};

TEST_CASE("without rules times are gated at 3 % and nothing else is compared") {
  CHECK(Thresholds().of(gemm).action == Action::gate);
  CHECK(Thresholds().of(gemm).limits.target == 0.03);
  CHECK(Thresholds().of(gemm).limits.floor == 0.015);
  Series energy = gemm;
  energy.metric = "energy";
  CHECK_FALSE(Thresholds().of(energy).compared);
  CHECK_FALSE(read("[[rule]]\nrow = \"gemm/*\"\n").of(energy).compared);
  CHECK(read("[[rule]]\nmetric = \"en*\"\n").of(energy).compared);
}

TEST_CASE("the last rule that matches counts, member by member") {
  const Thresholds thresholds = read(R"(
[[rule]]
row = "gemm/*"
target = 0.05
floor = 0.02
[[rule]]
tier = "library"
dtype = "b*"
action = "warn"
[[rule]]
device = "cuda:*"
target = 0.5
[[rule]]
metric = "items_per_second"
direction = "higher"
action = "gate"
)");
  const Threshold found = thresholds.of(gemm);
  CHECK(found.limits.target == 0.05);
  CHECK(found.limits.floor == 0.02);
  CHECK(found.action == Action::warn);
  CHECK_FALSE(found.higher_is_better);
  CHECK(thresholds.of({.row = "BM", .metric = "items_per_second"}).higher_is_better);
  CHECK(thresholds.of({.row = "BM", .metric = "items_per_second"}).action == Action::gate);
}

TEST_CASE("a regression is allowed until its date, that day included") {
  const std::string text =
      "[[allow]]\nrow = \"gemm/*\"\nreason = \"https://example.org/17\"\nexpires = 2026-06-15\n";
  CHECK(read(text).of(gemm).allowed_because == "https://example.org/17");
  CHECK(read(text).of({.row = "memory/x", .metric = "time"}).allowed_because.empty());
}

TEST_CASE("what a threshold file must not hold is refused with its line") {
  const auto complaint = [](const std::string& text) -> std::string {
    try {
      read(text);
    } catch (const FileError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(complaint("[[rule]]\nrow = \"a\"\ntarged = 0.1\n"),
             ContainsSubstring("line 3") && ContainsSubstring("targed"));
  CHECK_THAT(complaint("[[rules]]\n"), ContainsSubstring("`rules` is not known"));
  CHECK_THAT(complaint("[rule]\nrow = \"a\"\n"), ContainsSubstring("[[rule]]"));
  CHECK_THAT(complaint("[[rule]]\ntarget = 3\n"), ContainsSubstring("3 % is 0.03"));
  CHECK_THAT(complaint("[[rule]]\ntarget = -0.1\n"), ContainsSubstring("line 2"));
  CHECK_THAT(complaint("[[rule]]\ntarget = nan\n"), ContainsSubstring("line 2"));
  CHECK_THAT(complaint("[[rule]]\nfloor = \"1 %\"\n"), ContainsSubstring("line 2"));
  CHECK_THAT(complaint("[[rule]]\ndirection = \"up\"\n"), ContainsSubstring("lower, higher"));
  CHECK_THAT(complaint("[[rule]]\naction = \"stop\"\n"), ContainsSubstring("gate, warn, track"));
  CHECK_THAT(complaint("[[rule]]\nrow = 7\n"), ContainsSubstring("must be text"));
  CHECK_THAT(complaint("[[allow]]\nrow = \"a\"\nexpires = 2027-01-01\n"),
             ContainsSubstring("`reason`"));
  CHECK_THAT(complaint("[[allow]]\nreason = \"r\"\n"), ContainsSubstring("`expires`"));
  CHECK_THAT(complaint("[[allow]]\nreason = \"r\"\nexpires = \"2027-01-01\"\n"),
             ContainsSubstring("`expires`"));
  CHECK_THAT(complaint("\n[[allow]]\nreason = \"r\"\nexpires = 2026-06-14\n"),
             ContainsSubstring("line 4") && ContainsSubstring("expired on 2026-06-14"));
  CHECK_THAT(complaint("[[rule]\n"), ContainsSubstring("line 1"));
}

}  // namespace
}  // namespace steelyard
