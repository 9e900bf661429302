// SPDX-License-Identifier: Apache-2.0
#include "reports/appendix.h"

#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "reports/natural_order.h"

namespace steelyard {
namespace {

struct Naturally {
  bool operator()(const std::string& a, const std::string& b) const { return natural_less(a, b); }
};
using Names = std::set<std::string, Naturally>;

struct Group {
  Names devices, kernels, ids;
};

std::string all(const Names& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string first_few(const Names& names) {
  constexpr std::size_t most = 6;
  if (names.size() <= most) return all(names);
  return fmt::format("{}, and {} more",
                     fmt::join(names.begin(), std::next(names.begin(), most), ", "),
                     names.size() - most);
}

}  // namespace

Table not_measured(std::span<const Results> results) {
  using Why = std::tuple<std::string, std::string, std::string>;
  std::map<Why, Group> groups;
  for (const auto& set : results)
    for (const auto& file : set.files)
      for (const auto& row : file.records) {
        if (row.status == Status::ok) continue;
        Group& group = groups[{set.name, std::string(name(row.status)), row.reason}];
        group.devices.insert(row.device);
        group.kernels.insert(row.kernel);
        group.ids.insert(row.id);
      }
  Table table{.title = "Not measured",
              .columns = {{"status", Align::left},
                          {"reason", Align::left},
                          {"devices", Align::left},
                          {"kernels", Align::left},
                          {"problems"},
                          {"which", Align::left}}};
  const bool several = results.size() > 1;
  if (several) table.columns.insert(table.columns.begin(), {"result", Align::left});
  for (const auto& [why, group] : groups) {
    const auto& [set, status, reason] = why;
    auto& row = table.rows.emplace_back(
        std::vector{status, reason, all(group.devices), all(group.kernels),
                    std::to_string(group.ids.size()), first_few(group.ids)});
    if (several) row.insert(row.begin(), set);
  }
  return table;
}

std::vector<std::string> commands(const Results& results) {
  std::vector<std::string> found;
  std::set<std::string> seen;
  for (const auto& file : results.files)
    for (const auto& row : file.records)
      if (!row.reproduce.empty() && seen.insert(row.reproduce).second)
        found.push_back(row.reproduce);
  return found;
}

}  // namespace steelyard
