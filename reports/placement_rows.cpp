// SPDX-License-Identifier: Apache-2.0
#include "reports/placement_rows.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "reports/costs.h"

namespace steelyard {
namespace {

// Rows that may be compared have one number, by problem, settings and identity.
using Numbers = std::map<std::tuple<std::string, std::string, std::string>, int>;
using Rows = std::map<int, const Measurement*>;  // the fastest of each number

Rows rows_of(const Side& side, Numbers& numbers) {
  Rows rows;
  for (const Measurement& m : side.measurements) {
    if (!whole_seconds(m)) continue;
    const Record& row = m.row();
    const auto next = static_cast<int>(numbers.size());
    const auto entry =
        numbers.try_emplace({row.id, settings(row), row.identity ? row.identity->key : ""}, next);
    const Measurement*& fastest = rows[entry.first->second];
    if (fastest == nullptr || m.time.seconds < fastest->time.seconds) fastest = &m;
  }
  return rows;
}

struct Group {
  std::vector<std::size_t> sides;
  std::vector<int> rows;  // that all of them have

  auto size() const { return std::pair(sides.size(), rows.size()); }
};

Group with(const Group& group, std::size_t side, const Rows& rows) {
  Group more{.sides = group.sides};
  more.sides.push_back(side);
  std::ranges::copy_if(group.rows, std::back_inserter(more.rows),
                       [&](int row) { return rows.contains(row); });
  return more;
}

// Side after side, each that which leaves the most rows, while one leaves any.
Group widened(Group group, const std::vector<Rows>& all) {
  while (true) {
    Group best;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (std::ranges::count(group.sides, i) == 0)
        if (Group more = with(group, i, all[i]); more.rows.size() > best.rows.size())
          best = std::move(more);
    if (best.rows.empty()) return group;
    group = std::move(best);
  }
}

Group largest(const std::vector<Rows>& all) {
  Group best;
  for (std::size_t i = 0; i < all.size() && best.sides.size() < all.size(); ++i) {
    Group alone{.sides = {i}};
    for (const auto& [row, measurement] : all[i]) alone.rows.push_back(row);
    if (Group group = widened(std::move(alone), all); group.size() > best.size())
      best = std::move(group);
  }
  return best;
}

}  // namespace

std::vector<std::optional<std::vector<Measurement>>> shared_rows(std::span<const Side> sides) {
  std::vector<std::optional<std::vector<Measurement>>> shared(sides.size());
  Numbers numbers;
  std::vector<Rows> all;
  for (const Side& side : sides) all.push_back(rows_of(side, numbers));
  const Group group = largest(all);
  if (group.sides.size() < std::min<std::size_t>(2, sides.size())) {
    for (auto& rows : shared) rows.emplace();
    return shared;
  }
  for (const std::size_t side : group.sides) {
    auto& rows = shared[side].emplace();
    for (const int row : group.rows) rows.push_back(*all[side].at(row));
  }
  return shared;
}

}  // namespace steelyard
