// SPDX-License-Identifier: Apache-2.0
#include "reports/document.h"

#include <fmt/format.h>

namespace steelyard {

void Document::add(Block block) {
  const auto* table = std::get_if<Table>(&block);
  const bool is_empty = table != nullptr && !table->columns.empty() && table->rows.empty();
  if (!is_empty) blocks.push_back(std::move(block));
}

std::string markdown(const Document& document) {
  std::string text = fmt::format("# {}\n\n", document.title);
  for (const Block& block : document.blocks) {
    if (const auto* table = std::get_if<Table>(&block)) text += markdown(*table);
    if (const auto* code = std::get_if<Code>(&block)) text += markdown_code(code->lines);
  }
  return text;
}

}  // namespace steelyard
