// SPDX-License-Identifier: Apache-2.0
#include "reports/toml_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/file_error.h"

namespace steelyard {

toml::table parse_toml(std::string_view text, const std::filesystem::path& file) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw file_error(file,
                     fmt::format("line {}: {}", error.source().begin.line, error.description()),
                     "correct it: toml.io has the format");
  }
}

void TomlReader::fail(const toml::node& node, std::string_view what,
                      std::string_view remedy) const {
  throw file_error(file_, fmt::format("line {}: {}", node.source().begin.line, what), remedy);
}

void TomlReader::allow_only(const toml::table& table,
                            std::initializer_list<std::string_view> names) const {
  for (const auto& [key, value] : table)
    if (std::ranges::count(names, key.str()) == 0)
      fail(value, fmt::format("`{}` is not known", key.str()),
           fmt::format("there are: {}", fmt::join(names, ", ")));
}

std::vector<const toml::table*> TomlReader::tables(const toml::table& root,
                                                   std::string_view name) const {
  std::vector<const toml::table*> found;
  const toml::node* node = root.get(name);
  if (node == nullptr) return found;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_homogeneous<toml::table>())
    fail(*node, fmt::format("`{}` must be tables", name), fmt::format("write [[{}]]", name));
  for (const toml::node& one : *array) found.push_back(one.as_table());
  return found;
}

std::optional<std::string> TomlReader::text(const toml::table& table, std::string_view name) const {
  const toml::node* node = table.get(name);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::string>();
  if (!value || value->empty()) fail(*node, fmt::format("`{}` must be text", name), "quote it");
  return value;
}

std::optional<std::size_t> TomlReader::choice(
    const toml::table& table, std::string_view name,
    std::initializer_list<std::string_view> choices) const {
  const auto value = text(table, name);
  if (!value) return std::nullopt;
  const auto found = std::ranges::find(choices, *value);
  if (found == choices.end())
    fail(*table.get(name), fmt::format("{} = \"{}\" is not known", name, *value),
         fmt::format("there are: {}", fmt::join(choices, ", ")));
  return static_cast<std::size_t>(found - choices.begin());
}

}  // namespace steelyard
