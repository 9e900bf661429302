// SPDX-License-Identifier: Apache-2.0
#include "reports/layout.h"

#include <algorithm>

namespace steelyard {

std::size_t code_points(std::string_view utf8) {
  const auto starts_one = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  };
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), starts_one));
}

std::vector<std::size_t> column_widths(const Table& table) {
  constexpr std::size_t widest = 60;
  std::vector<std::size_t> widths;
  for (const auto& column : table.columns) widths.push_back(code_points(column.heading));
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], code_points(row[i]));
  for (auto& width : widths) width = std::min(width, widest);
  return widths;
}

std::string padded(std::string_view cell, std::size_t width, Align align) {
  const std::size_t length = code_points(cell);
  const std::string space(width > length ? width - length : 0, ' ');
  return align == Align::left ? std::string(cell) + space : space + std::string(cell);
}

Table escaped(const Table& table, std::string (*escape)(std::string_view)) {
  Table result{.title = escape(table.title)};
  for (const auto& column : table.columns)
    result.columns.push_back({escape(column.heading), column.align});
  for (const auto& row : table.rows) {
    auto& cells = result.rows.emplace_back();
    for (const auto& cell : row) cells.push_back(escape(cell));
  }
  for (const auto& note : table.notes) result.notes.push_back(escape(note));
  return result;
}

}  // namespace steelyard
