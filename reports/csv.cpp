// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstddef>

#include "reports/render.h"

namespace steelyard {
namespace {

bool is_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Spreadsheets run a cell that begins like a formula, quoted or not; an apostrophe makes it text.
bool is_formula(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  return first != std::string_view::npos &&
         std::string_view("=+-@").find(text[first]) != std::string_view::npos && !is_number(text);
}

std::string field(std::string_view untrusted) {
  std::string text = printable(untrusted);
  if (is_formula(text)) text.insert(0, 1, '\'');
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string csv(const Table& table) {
  std::string result;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    result.append(i ? "," : "").append(field(table.columns[i].heading));
  result += "\r\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      result.append(i ? "," : "").append(field(row.at(i)));
    result += "\r\n";
  }
  return result;
}

}  // namespace steelyard
