// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "reports/compare_tables.h"
#include "reports/render.h"

namespace steelyard {
namespace {

// The data of a workflow command; names become printable first, so no line break is left.
std::string command_data(std::string_view untrusted) {
  std::string result;
  for (const char c : printable(untrusted)) c == '%' ? result += "%25" : result += c;
  return result;
}

struct Annotation {
  std::string level, title, message;
};

std::string line(const Annotation& annotation) {
  return fmt::format("::{} title={}::{}\n", annotation.level, annotation.title,
                     command_data(annotation.message));
}

std::string described(const Change& change) {
  std::string text = fmt::format("{}, {}: {}", change.candidate->row, change.candidate->metric,
                                 percent_change(change.ratio));
  if (change.shift) text += fmt::format(" (95 %: {})", percent_change(change.shift->ci95()));
  return change.reason.empty() ? text : text + "; " + change.reason;
}

std::vector<Annotation> annotations(const Changes& changes) {
  std::vector<Annotation> errors, warnings;
  for (const RowNotMeasured& row : changes.not_measured)
    if (is_defect(row.status))
      errors.push_back(
          {"error", fmt::format("Row {}", name(row.status)), row.row + ": " + row.reason});
  for (const Change& change : changes.rows) {
    const bool warns = change.threshold.action == Action::warn;
    if (change.fails())
      errors.push_back({"error", "Performance regression", described(change)});
    else if (change.gates() && !change.refused.empty())
      errors.push_back({"error", "Not comparable",
                        change.candidate->row + ": " + change.refused.front().field + " differs"});
    else if (change.gates() && change.finding == Finding::inconclusive)
      warnings.push_back({"warning", "Performance inconclusive", described(change)});
    else if ((warns || change.gates()) && change.finding == Finding::regression)
      warnings.push_back({"warning", "Performance regression", described(change)});
  }
  errors.insert(errors.end(), warnings.begin(), warnings.end());
  return errors;
}

}  // namespace

std::string annotations_of(const Changes& changes) {
  constexpr std::size_t most = 9;
  const auto all = annotations(changes);
  std::string text;
  for (std::size_t i = 0; i < std::min(most, all.size()); ++i) text += line(all[i]);
  if (all.size() > most)
    text += line({all[most].level, "Performance", fmt::format("{} more", all.size() - most)});
  return text;
}

}  // namespace steelyard
