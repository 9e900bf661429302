// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "reports/compare_tables.h"
#include "reports/render.h"

namespace steelyard {
namespace {

// For text and attributes. XML 1.0 cannot hold most control characters in any spelling.
std::string xml(std::string_view untrusted) {
  std::string result;
  for (const char c : printable(untrusted)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// What there is to say of a test case beside that it passed.
struct Remark {
  std::string element, message;
};

Remark remark_of(const Change& change) {
  const std::string percent = percent_change(change.ratio);
  if (change.fails()) return {"failure", "regression: " + percent};
  if (!change.refused.empty())
    return {"skipped", "refused: " + change.refused.front().field + " differs"};
  if (change.finding == Finding::inconclusive)
    return {"skipped", fmt::format("inconclusive: {}; {}", percent, change.reason)};
  return {};
}

std::string test_case(std::string_view row, std::string_view metric, const Remark& remark) {
  const std::string open =
      fmt::format("    <testcase classname=\"steelyard.{}\" name=\"{}\"", xml(metric), xml(row));
  if (remark.element.empty()) return open + "/>\n";
  return fmt::format("{}>\n      <{} message=\"{}\"/>\n    </testcase>\n", open, remark.element,
                     xml(remark.message));
}

}  // namespace

std::string junit_of(const Changes& changes) {
  std::string cases;
  int tests = 0, failures = 0, errors = 0, skipped = 0;
  const auto add = [&](std::string_view row, std::string_view metric, const Remark& remark) {
    cases += test_case(row, metric, remark);
    ++tests;
    failures += remark.element == "failure";
    errors += remark.element == "error";
    skipped += remark.element == "skipped";
  };
  for (const Change& change : changes.rows)
    if (change.gates()) add(change.candidate->row, change.candidate->metric, remark_of(change));
  for (const RowNotMeasured& row : changes.not_measured)
    add(row.row, "time",
        {is_defect(row.status) ? "error" : "skipped",
         fmt::format("{}: {}", name(row.status), row.reason)});
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\"", tests, failures, errors);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {0}>\n  <testsuite "
      "name=\"steelyard\" {0} skipped=\"{1}\">\n{2}  </testsuite>\n</testsuites>\n",
      counts, skipped, cases);
}

}  // namespace steelyard
