// SPDX-License-Identifier: Apache-2.0
// One table, several spellings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace steelyard {

enum class Align { left, right };

struct Column {
  std::string heading;  // with its unit: "median [ms]"
  Align align = Align::right;
};

struct Table {
  std::string title;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as columns, not yet escaped
  std::vector<std::string> notes;              // sentences under the table
};

std::string markdown(const Table& table);  // aligned in the source too; `|`, HTML and control characters escaped
std::string csv(const Table& table);       // RFC 4180, columns and rows alone; cells that a spreadsheet would execute are quoted with '
std::string text(const Table& table);      // for a terminal: aligned columns, no markup

// Lines as a Markdown code block, which nothing inside can end.
std::string markdown_code(const std::vector<std::string>& lines);

// One value with a unit chosen from its size: 1.5e-3 -> "1.500 ms".
std::string seconds(double value);
std::string bytes(double value);            // binary: "64 MiB"
std::string rate(double value, std::string_view unit);  // "432.1 GFLOP/s"

// Untrusted text for one line of a terminal: control characters and invalid UTF-8 become visible escapes.
std::string printable(std::string_view text);

}  // namespace steelyard
