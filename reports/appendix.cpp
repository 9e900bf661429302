// SPDX-License-Identifier: Apache-2.0
#include "reports/appendix.h"

#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

// By status and reason.
std::map<std::pair<std::string, std::string>, Group> groups(const Results& results) {
  std::map<std::pair<std::string, std::string>, Group> found;
  for (const auto& file : results.files)
    for (const auto& row : file.records) {
      if (row.status == Status::ok) continue;
      Group& group = found[{std::string(name(row.status)), row.reason}];
      group.devices.insert(row.device);
      group.kernels.insert(row.kernel);
      group.ids.insert(row.id);
    }
  return found;
}

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
  const bool several = results.size() > 1;
  Table table{.title = "Not measured",
              .columns = {{"status", Align::left},
                          {"reason", Align::left},
                          {"devices", Align::left},
                          {"kernels", Align::left},
                          {"problems"},
                          {"which", Align::left}}};
  if (several) table.columns.push_back({"results", Align::left});
  std::map<std::vector<std::string>, Names> names_by_row;
  for (const auto& set : results)
    for (const auto& [why, group] : groups(set))
      names_by_row[{why.first, why.second, all(group.devices), all(group.kernels),
                    std::to_string(group.ids.size()), first_few(group.ids)}]
          .insert(set.name);
  for (const auto& [cells, names] : names_by_row) {
    auto& row = table.rows.emplace_back(cells);
    if (several) row.push_back(all(names));
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
