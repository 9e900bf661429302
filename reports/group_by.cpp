// SPDX-License-Identifier: Apache-2.0
#include "reports/group_by.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/differences.h"

namespace steelyard {
namespace {

std::optional<std::string> label(const ResultFile& file, const std::string& key) {
  const auto found = std::ranges::find(file.context.labels, key, &Fields::value_type::first);
  if (found == file.context.labels.end()) return std::nullopt;
  return text_of(found->second);
}

std::invalid_argument nowhere(std::span<const Results> results, const std::string& key) {
  std::set<std::string> known;
  for (const Results& set : results)
    for (const ResultFile& file : set.files)
      for (const auto& [name, value] : file.context.labels) known.insert("label." + name);
  return std::invalid_argument(
      known.empty() ? fmt::format("--group-by label.{0}: no result has a label; measure with "
                                  "--label {0}=VALUE",
                                  key)
                    : fmt::format("--group-by label.{}: no result has it; there are {}", key,
                                  fmt::join(known, ", ")));
}

}  // namespace

std::vector<Results> grouped(std::span<const Results> results, const std::string& what) {
  constexpr std::string_view prefix = "label.";
  if (!what.starts_with(prefix) || what.size() == prefix.size())
    throw std::invalid_argument("--group-by takes label.KEY, not " + what);
  const std::string key = what.substr(prefix.size());
  std::map<std::string, Results> groups;
  Results rest{.name = "no " + key};
  for (const Results& set : results)
    for (const ResultFile& file : set.files) {
      const auto value = label(file, key);
      Results& group = value ? groups[*value] : rest;
      if (value) group.name = fmt::format("{} {}", key, *value);
      group.files.push_back(file);
    }
  if (groups.empty()) throw nowhere(results, key);
  std::vector<Results> all;
  for (auto& [value, group] : groups) all.push_back(std::move(group));
  if (!rest.files.empty()) all.push_back(std::move(rest));
  return all;
}

}  // namespace steelyard
