// SPDX-License-Identifier: Apache-2.0
// Files that users write. Errors name the file, the line and a remedy.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

namespace steelyard {

// Throws FileError where the text is not TOML.
toml::table parse_toml(std::string_view text, const std::filesystem::path& file);

// Reads the tables of one file. Everything throws FileError.
class TomlReader {
 public:
  explicit TomlReader(std::filesystem::path file) : file_(std::move(file)) {}

  [[noreturn]] void fail(const toml::node& node, std::string_view what,
                         std::string_view remedy) const;

  void allow_only(const toml::table& table, std::initializer_list<std::string_view> names) const;

  // Those of [[name]], in their order.
  std::vector<const toml::table*> tables(const toml::table& root, std::string_view name) const;

  // Absent where the key is; never empty.
  std::optional<std::string> text(const toml::table& table, std::string_view name) const;

  // One of `choices`, as its index. Absent where the key is.
  std::optional<std::size_t> choice(const toml::table& table, std::string_view name,
                                    std::initializer_list<std::string_view> choices) const;

 private:
  std::filesystem::path file_;
};

}  // namespace steelyard
