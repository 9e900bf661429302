// SPDX-License-Identifier: Apache-2.0
// The forms of a comparison: well-formed whatever the names hold, and within what CI systems take.
#include "reports/compare_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

const std::vector<std::string> hostile = {"</script><img onerror=x>",
                                          "a|b`c`*d*_e_",
                                          "line\nbreak\r::error::x",
                                          "=cmd()",
                                          "control \x01\x1b[31m \x7f",
                                          "]]> & \"quoted\" 'x'",
                                          "100 % %0A",
                                          "\xff\xfe not UTF-8",
                                          "\u202e bidi \u2028",
                                          std::string(10'000, 'n')};

Series made_series(const std::string& row, double seconds) {
  return {.row = row,
          .metric = "time",
          .unit = "s",
          .values = {seconds, seconds * 1.001, seconds * 0.999, seconds, seconds}};
}

// Every name as a row that passed, regressed, was refused, failed, is new and is missing.
struct Sides {
  RunSet base, candidate;

  Sides() {
    base.name = candidate.name = hostile[0];
    for (const std::string& name : hostile) {
      add(name + "1", 1, 1);
      add(name + "2", 1, 1.1);
      add(name + "3", 1, 1);
      base.series.back().conditions = {comparability({{name, name}})};
      candidate.series.back().conditions = {comparability({{name, "other"}})};
      candidate.not_measured.push_back({name + "4", Status::incorrect, name});
      candidate.series.push_back(made_series(name + "5", 1));
      base.series.push_back(made_series(name + "6", 1));
    }
  }

  void add(const std::string& row, double before, double after) {
    base.series.push_back(made_series(row, before));
    candidate.series.push_back(made_series(row, after));
  }
};

TEST_CASE("JSON of hostile names can be read, and holds them") {
  const Sides sides;
  const auto json = nlohmann::json::parse(json_of(compare(sides.base, sides.candidate, {})));
  CHECK(json.at("rows").size() == 3 * hostile.size());
  CHECK(json.at("exit_code") == 4);
  const auto names = [&](const std::string& name) {
    return std::ranges::any_of(json.at("rows"), [&](auto& row) { return row.at("row") == name; });
  };
  CHECK(names("</script><img onerror=x>2"));
  CHECK(names("line\nbreak\r::error::x2"));
}

TEST_CASE("JUnit XML of hostile names is valid against the schema") {
  const Sandbox sandbox;
  const Sides sides;
  sandbox.write("junit.xml", junit_of(compare(sides.base, sides.candidate, {})));
  if (sandbox.shell("command -v xmllint").exit_code != 0) {
    WARN("skipped: no xmllint (libxml2-utils)");
    return;
  }
  const auto checked = sandbox.shell("xmllint --noout --schema '" JUNIT_XSD "' junit.xml");
  INFO(checked.errors);
  CHECK(checked.exit_code == 0);
}

TEST_CASE("JUnit XML counts what it holds") {
  const Sides sides;
  const std::string xml = junit_of(compare(sides.base, sides.candidate, {}));
  CHECK_THAT(xml, ContainsSubstring("<testsuites tests=\"40\" failures=\"10\" errors=\"10\">"));
  CHECK_THAT(xml, ContainsSubstring("skipped=\"10\""));
}

TEST_CASE("Markdown of hostile names has no markup of theirs") {
  const Sides sides;
  const std::string text = markdown_of(compare(sides.base, sides.candidate, {}));
  CHECK(text.find("<img") == text.npos);
  CHECK(text.find("</script") == text.npos);
  CHECK(text.find('\x1b') == text.npos);
  CHECK(text.find("a|b") == text.npos);
}

TEST_CASE("a terminal is not driven by names") {
  const Sides sides;
  const std::string text = text_of(compare(sides.base, sides.candidate, {}));
  CHECK(std::ranges::none_of(text,
                             [](char c) { return (c < ' ' && c != '\n' && c >= 0) || c == 0x7f; }));
}

TEST_CASE("annotations are one line each, nine at most and how many more") {
  const Sides sides;
  const std::string text = annotations_of(compare(sides.base, sides.candidate, {}));
  CHECK(std::ranges::count(text, '\n') == 10);
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    CHECK(text.substr(at, 2) == "::");
  CHECK_THAT(text, ContainsSubstring("21 more"));
  CHECK_THAT(text, ContainsSubstring("title=Row incorrect::"));
}

TEST_CASE("inconclusive rows are annotated as warnings, warned regressions too") {
  RunSet base, candidate;
  base.series = {made_series("open", 1), made_series("warned", 1)};
  candidate.series = {made_series("open", 1), made_series("warned", 1.2)};
  base.series[0].values.resize(1);
  CompareRules rules;
  rules.thresholds.rules = {{.selector = {.row = "warned"}, .action = Action::warn}};
  const std::string text = annotations_of(compare(base, candidate, rules));
  CHECK_THAT(text, ContainsSubstring("::warning title=Performance inconclusive::open, time"));
  CHECK_THAT(text, ContainsSubstring("::warning title=Performance regression::warned, time"));
}

TEST_CASE("Markdown stays below what GitHub shows, with the worst rows in it") {
  RunSet base, candidate;
  for (int i = 0; i < 20'000; ++i) {
    base.series.push_back(made_series(fmt::format("gemm/bf16/nn/{}x4096x4096", i), 1));
    candidate.series.push_back(
        made_series(fmt::format("gemm/bf16/nn/{}x4096x4096", i), 1 + 1e-5 * i));
  }
  const std::string text = markdown_of(compare(base, candidate, {}));
  CHECK(text.size() < 1'000'000);
  CHECK_THAT(text.substr(0, 5000), ContainsSubstring("gemm/bf16/nn/19999x4096x4096"));
  CHECK_THAT(text, ContainsSubstring("<details><summary>"));
  CHECK_THAT(text, ContainsSubstring("are left out: see the JSON"));
}

}  // namespace
}  // namespace steelyard
