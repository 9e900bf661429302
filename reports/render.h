// SPDX-License-Identifier: Apache-2.0
// One table, several spellings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/record.h"

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

// Aligned in the source too; `|`, markup, HTML and control characters are escaped.
std::string markdown(const Table& table);

// RFC 4180, columns and rows alone. Cells that a spreadsheet would execute get a leading '.
std::string csv(const Table& table);

// For a terminal: aligned columns, no markup.
std::string text(const Table& table);

// Lines as a Markdown code block, which nothing inside can end.
std::string markdown_code(const std::vector<std::string>& lines);

// One value with a unit chosen from its size: 1.5e-3 -> "1.500 ms".
std::string seconds(double value);
std::string duration(double seconds);                   // for people who wait: "3 min 05 s"
std::string bytes(double value);                        // binary: "64 MiB"
std::string rate(double value, std::string_view unit);  // "432.1 GFLOP/s"

std::string percent(double share);  // "61.2 %"

// How much a ratio is above or below 1: "+2.34 %"; and of an interval of ratios: "-1.00 to +2.34 %".
std::string percent_change(double ratio);
std::string percent_change(const Interval& ratios);

// Untrusted text for one line of a terminal: control characters and invalid UTF-8 become visible
// escapes.
std::string printable(std::string_view text);

}  // namespace steelyard
