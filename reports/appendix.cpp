// SPDX-License-Identifier: Apache-2.0
#include "reports/appendix.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/natural_order.h"
#include "reports/statistics.h"

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

Table speed_on_zeros(std::span<const Results> results) {
  std::map<std::array<std::string, 3>, std::vector<double>> uplifts;  // device, kernel, tier
  for (const auto& set : results)
    for (const auto& file : set.files)
      for (const auto& row : file.records)
        if (row.status == Status::ok && row.zeros)
          uplifts[{row.device_name, row.kernel, row.tier}].push_back(row.zeros->uplift);
  Table table{
      .title = "Speed on zeros",
      .columns = {{"device", Align::left},
                  {"kernel", Align::left},
                  {"tier", Align::left},
                  {"rows"},
                  {"median uplift"},
                  {"least"},
                  {"most"}},
      .notes = {"Zeros draw less power than data do, so that clocks stay higher: results on "
                "zeros flatter a device by the uplift."}};
  for (const auto& [who, values] : uplifts) {
    const auto [least, most] = std::ranges::minmax(values);
    table.rows.push_back({who[0], who[1], who[2], std::to_string(values.size()),
                          fmt::format("{:+.1f} %", 100 * median(values)),
                          fmt::format("{:+.1f} %", 100 * least),
                          fmt::format("{:+.1f} %", 100 * most)});
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
