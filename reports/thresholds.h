// SPDX-License-Identifier: Apache-2.0
// How much change of a row matters: a TOML file of rules and of regressions that are allowed for a
// while.
//
//   [[rule]]                # the last rule that matches a series counts, for the members it has
//   row = "gemm/*/onednn/*" # globs: row, metric, device, dtype, tier; absent: any
//   target = 0.05           # a pass rules out an increase of 5 %
//   floor = 0.02            # up to 2 % nothing is a regression
//   direction = "lower"     # what is better: "lower" or "higher"
//   action = "warn"         # "gate", "warn": reported, exit code 0, "track": listed only
//
//   [[allow]]               # regressions of these rows pass until the date
//   row = "memory/copy/*"
//   reason = "https://example.org/issues/17"
//   expires = 2026-12-31
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/series.h"
#include "reports/shift.h"

namespace steelyard {

enum class Action { gate, warn, track };

// What holds for one series.
struct Threshold {
  Limits limits;
  bool higher_is_better = false;
  Action action = Action::gate;
  bool compared = true;
  std::string allowed_because;  // "": regressions are not allowed
};

struct Selector {
  std::string row = "*", metric = "*", device = "*", dtype = "*", tier = "*";  // globs

  bool matches(const Series& series) const;
};

struct Thresholds {
  struct Rule {
    Selector selector;
    std::optional<double> target, floor;
    std::optional<bool> higher_is_better;
    std::optional<Action> action;
  };
  struct Allowed {
    Selector selector;
    std::string reason;
  };

  std::vector<Rule> rules;
  std::vector<Allowed> allowed;

  // Without a rule times are gated (3 %, 1.5 %). Other metrics are compared when a rule names them.
  Threshold of(const Series& series) const;
};

// Throws FileError with the line: unknown members, values outside their range, allow-list entries
// without a reason or a date, or whose date is before `today`.
Thresholds read_thresholds(const std::filesystem::path& path, std::chrono::sys_days today);
Thresholds parse_thresholds(std::string_view text, const std::filesystem::path& file,
                            std::chrono::sys_days today);

}  // namespace steelyard
