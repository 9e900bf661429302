// SPDX-License-Identifier: Apache-2.0
#include "reports/layout.h"
#include "reports/render.h"

namespace steelyard {
namespace {

std::string line(const std::vector<std::string>& cells, const std::vector<Column>& columns,
                 const std::vector<std::size_t>& widths) {
  std::string result;
  for (std::size_t i = 0; i < columns.size(); ++i)
    result.append(i ? "  " : "").append(padded(cells.at(i), widths[i], columns[i].align));
  result.erase(result.find_last_not_of(' ') + 1);
  return result + "\n";
}

}  // namespace

std::string text(const Table& raw) {
  const Table table = escaped(raw, printable);
  std::string result;
  if (!table.title.empty()) result += table.title + "\n";
  if (!table.columns.empty()) {
    const auto widths = column_widths(table);
    std::vector<std::string> headings;
    for (const auto& column : table.columns) headings.push_back(column.heading);
    result += line(headings, table.columns, widths);
    for (const auto& row : table.rows) result += line(row, table.columns, widths);
  }
  for (const auto& note : table.notes) result += note + "\n";
  return result;
}

}  // namespace steelyard
