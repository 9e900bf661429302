// SPDX-License-Identifier: Apache-2.0
// Values from the small text files of /proc and /sys.
#pragma once

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steelyard::cpu {

// The first line; empty when the file cannot be read.
inline std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

template <class Number>
std::optional<Number> read_number(const std::filesystem::path& path) {
  return parse_number<Number>(first_line(path));
}

// What follows `key` and its separator (a colon or blanks) on its line in a table such as
// /proc/meminfo.
inline std::string field(const std::filesystem::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const auto separator = line.find_first_not_of(" \t", key.size());
    if (separator == std::string::npos || (separator == key.size() && line[separator] != ':'))
      continue;
    const auto value = line.find_first_not_of(" \t:", key.size());
    return value == std::string::npos ? std::string{} : line.substr(value);
  }
  return {};
}

inline std::vector<std::filesystem::path> entries(const std::filesystem::path& folder) {
  std::error_code none;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none))
    found.push_back(entry.path());
  return found;
}

}  // namespace steelyard::cpu
