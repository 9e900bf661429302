// SPDX-License-Identifier: Apache-2.0
#include "reports/thresholds.h"

#include <array>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "reports/glob.h"
#include "reports/open_file.h"
#include "reports/toml_reader.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

class Reader : TomlReader {
 public:
  Reader(const fs::path& path, std::chrono::sys_days today) : TomlReader(path), today_(today) {}

  Thresholds read(const toml::table& root) {
    allow_only(root, {"rule", "allow"});
    Thresholds thresholds;
    for (const toml::table* table : tables(root, "rule")) thresholds.rules.push_back(rule(*table));
    for (const toml::table* table : tables(root, "allow"))
      thresholds.allowed.push_back(allowed(*table));
    return thresholds;
  }

 private:
  std::optional<double> share(const toml::table& table, std::string_view name) const {
    const toml::node* node = table.get(name);
    if (node == nullptr) return std::nullopt;
    const auto value = node->value<double>();
    if (!node->is_number() || !(*value >= 0 && *value < 1))
      fail(*node, fmt::format("`{}` must be a share from 0 to 1", name), "3 % is 0.03");
    return value;
  }

  Selector selector(const toml::table& table) const {
    Selector selector;
    for (const auto& [name, glob] :
         {std::pair("row", &selector.row), std::pair("metric", &selector.metric),
          std::pair("device", &selector.device), std::pair("dtype", &selector.dtype),
          std::pair("tier", &selector.tier)})
      *glob = text(table, name).value_or("*");
    return selector;
  }

  Thresholds::Rule rule(const toml::table& table) const {
    allow_only(table, {"row", "metric", "device", "dtype", "tier", "target", "floor", "direction",
                       "action"});
    const auto direction = choice(table, "direction", {"lower", "higher"});
    const auto action = choice(table, "action", {"gate", "warn", "track"});
    return {.selector = selector(table),
            .target = share(table, "target"),
            .floor = share(table, "floor"),
            .higher_is_better = direction ? std::optional(*direction == 1) : std::nullopt,
            .action = action ? std::optional(static_cast<Action>(*action)) : std::nullopt};
  }

  Thresholds::Allowed allowed(const toml::table& table) const {
    allow_only(table, {"row", "metric", "device", "dtype", "tier", "reason", "expires"});
    const auto reason = text(table, "reason");
    if (!reason) fail(table, "an allowed regression without `reason`", "say why, with a link");
    const toml::node* expires = table.get("expires");
    const auto date = expires ? expires->value_exact<toml::date>() : std::nullopt;
    if (!date)
      fail(expires ? *expires : static_cast<const toml::node&>(table),
           "an allowed regression without a date in `expires`", "write expires = 2026-12-31");
    const std::chrono::year_month_day day{std::chrono::year(date->year),
                                          std::chrono::month(date->month),
                                          std::chrono::day(date->day)};
    if (std::chrono::sys_days(day) < today_)
      fail(*expires,
           fmt::format("the allowed regression expired on {:04}-{:02}-{:02}", date->year,
                       date->month, date->day),
           "repair it, or give a new date and the reason");
    return {.selector = selector(table), .reason = *reason};
  }

  std::chrono::sys_days today_;
};

}  // namespace

bool Selector::matches(const Series& series) const {
  return steelyard::matches(row, series.row) && steelyard::matches(metric, series.metric) &&
         steelyard::matches(device, series.device) && steelyard::matches(dtype, series.dtype) &&
         steelyard::matches(tier, series.tier);
}

Threshold Thresholds::of(const Series& series) const {
  Threshold threshold{.compared = series.metric == "time"};
  for (const Rule& rule : rules) {
    if (!rule.selector.matches(series)) continue;
    threshold.compared = threshold.compared || rule.selector.metric != "*";
    threshold.limits.target = rule.target.value_or(threshold.limits.target);
    threshold.limits.floor = rule.floor.value_or(threshold.limits.floor);
    threshold.higher_is_better = rule.higher_is_better.value_or(threshold.higher_is_better);
    threshold.action = rule.action.value_or(threshold.action);
  }
  for (const Allowed& entry : allowed)
    if (entry.selector.matches(series)) threshold.allowed_because = entry.reason;
  return threshold;
}

Thresholds parse_thresholds(std::string_view text, const fs::path& file,
                            std::chrono::sys_days today) {
  return Reader(file, today).read(parse_toml(text, file));
}

Thresholds read_thresholds(const fs::path& path, std::chrono::sys_days today) {
  return parse_thresholds(text_of_file(path), path, today);
}

}  // namespace steelyard
