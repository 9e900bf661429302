// SPDX-License-Identifier: Apache-2.0
// A report as data: every format spells out the same blocks.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "reports/chart.h"
#include "reports/render.h"

namespace steelyard {

struct Code {
  std::vector<std::string> lines;
};

struct Attachment {
  std::string name, content;
};

using Block = std::variant<Table, Chart, Code>;

struct Document {
  std::string title;
  std::vector<Block> blocks;            // in the order of their importance
  std::vector<Attachment> attachments;  // JSON files that a format carries along if it can

  void add(Block block);  // unless it is a table whose columns have no rows
  // All of them, tables or charts.
  template <class T>
  void add(std::vector<T> several) {
    for (T& one : several) add(Block(std::move(one)));
  }
};

// Without charts, whose numbers are in tables.
std::string markdown(const Document& document);

}  // namespace steelyard
