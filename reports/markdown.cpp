// SPDX-License-Identifier: Apache-2.0
#include <cctype>

#include <fmt/format.h>

#include "reports/layout.h"
#include "reports/render.h"

namespace steelyard {
namespace {

bool is_word(std::string_view text, std::size_t i) {
  return i < text.size() && std::isalnum(static_cast<unsigned char>(text[i]));
}

// GitHub's Markdown: within a line these characters begin markup. An underscore between two letters
// does not, and names are full of them.
std::string escape(std::string_view untrusted) {
  const std::string text = printable(untrusted);
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool inner_underscore = c == '_' && i > 0 && is_word(text, i - 1) && is_word(text, i + 1);
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else if (std::string_view("\\`*_[]|~$").find(c) != std::string_view::npos && !inner_underscore)
      (result += '\\') += c;
    else
      result += c;
  }
  return result;
}

// At the beginning of a line other characters make headings, lists and, by blanks, code.
std::string paragraph(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  const std::size_t digits = text.find_first_not_of("0123456789");
  const std::size_t at = digits == std::string::npos ? 0 : digits;
  const std::string_view marks = at == 0 ? "#-+=" : ".)";
  if (at < text.size() && marks.find(text[at]) != std::string_view::npos) text.insert(at, 1, '\\');
  return text;
}

std::string line(const std::vector<std::string>& cells, const std::vector<Column>& columns,
                 const std::vector<std::size_t>& widths) {
  std::string result = "|";
  for (std::size_t i = 0; i < columns.size(); ++i)
    result += fmt::format(" {} |", padded(cells.at(i), widths[i], columns[i].align));
  return result + "\n";
}

std::string rule(const std::vector<Column>& columns, const std::vector<std::size_t>& widths) {
  std::string result = "|";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string dashes(widths[i] + 1, '-');
    result +=
        columns[i].align == Align::left ? fmt::format(":{}|", dashes) : fmt::format("{}:|", dashes);
  }
  return result + "\n";
}

}  // namespace

std::string markdown(const Table& raw) {
  const Table table = escaped(raw, escape);
  std::string result;
  if (!table.title.empty()) result += fmt::format("## {}\n\n", table.title);
  if (!table.columns.empty()) {
    const auto widths = column_widths(table);
    std::vector<std::string> headings;
    for (const auto& column : table.columns) headings.push_back(column.heading);
    result += line(headings, table.columns, widths);
    result += rule(table.columns, widths);
    for (const auto& row : table.rows) result += line(row, table.columns, widths);
    result += "\n";
  }
  for (const auto& note : table.notes) result += paragraph(note) + "\n\n";
  return result;
}

std::string markdown_code(const std::vector<std::string>& lines) {
  std::string result;
  for (const auto& code : lines) result += fmt::format("    {}\n", printable(code));
  return result + "\n";
}

}  // namespace steelyard
