// SPDX-License-Identifier: Apache-2.0
#include "reports/differences.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace steelyard {
namespace {

// The distinct values of one field in each column. A field that is not there is one more value.
using Values = std::vector<std::set<std::string>>;

std::string value_of(const Comparability* comparability, const std::string& field) {
  if (comparability)
    for (const auto& [name, value] : comparability->fields)
      if (name == field) {
        const std::string text = text_of(value);
        return text.empty() ? "empty" : text;
      }
  return "absent";
}

bool differ(const Values& columns) {
  std::set<std::string> all;
  for (const auto& column : columns) all.insert(column.begin(), column.end());
  return all.size() > 1;
}

}  // namespace

std::vector<Difference> differences(
    const std::vector<std::vector<std::shared_ptr<const Comparability>>>& columns) {
  std::set<std::string> fields;
  for (const auto& column : columns)
    for (const auto& comparability : column)
      if (comparability)
        for (const auto& [name, value] : comparability->fields) fields.insert(name);

  std::vector<Difference> found;
  for (const auto& field : fields) {
    Values values(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i)
      for (const auto& comparability : columns[i])
        values[i].insert(value_of(comparability.get(), field));
    if (!differ(values)) continue;
    auto& difference = found.emplace_back(Difference{.field = field});
    for (const auto& column : values)
      difference.values.push_back(column.empty() ? "-"
                                                 : fmt::format("{}", fmt::join(column, " and ")));
  }
  return found;
}

std::string text_of(const Scalar& scalar) {
  struct {
    std::string operator()(std::nullptr_t) const { return "unknown"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
    std::string operator()(double value) const { return fmt::format("{}", value); }
    std::string operator()(const std::string& value) const { return value; }
  } text;
  return std::visit(text, scalar);
}

}  // namespace steelyard
