// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "reports/compare_rules.h"
#include "reports/compare_tables.h"
#include "reports/exit_code.h"
#include "reports/output.h"

namespace steelyard {

std::string written(const Changes& changes, std::string_view format) {
  if (format == "md") return markdown_of(changes);
  if (format == "json") return json_of(changes);
  if (format == "junit") return junit_of(changes);
  if (format == "github") return annotations_of(changes);
  return text_of(changes);
}

CompareRules read_rules(const CompareOptions& options) {
  CompareRules rules;
  const auto now = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  if (!options.thresholds.empty()) rules.thresholds = read_thresholds(options.thresholds, now);
  if (!options.noise.empty()) rules.noise = read_noise_card(options.noise);
  rules.allowed_differences = {options.allowed_differences.begin(),
                               options.allowed_differences.end()};
  return rules;
}

int compare(const std::filesystem::path& base, const std::filesystem::path& candidate,
            const CompareOptions& options) try {
  const CompareRules rules = read_rules(options);
  const RunSet before = load_runs(base), after = load_runs(candidate);
  const Changes changes = compare(before, after, rules);
  write_output(written(changes, options.format), options.output);
  const int code = exit_code(changes, options.inconclusive == "fail");
  if (code == incomparable)
    complain(
        "nothing comparable, or rows that must not be compared: the table `Refused` names the "
        "fields; --allow-diff=FIELD lifts one");
  return code;
} catch (const FileError& error) {
  complain(error.what());
  return usage_error;
}

}  // namespace steelyard
