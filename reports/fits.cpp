// SPDX-License-Identifier: Apache-2.0
#include "reports/fits.h"

#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/natural_order.h"
#include "reports/step_fields.h"

namespace steelyard {
namespace {

// The same on every device; its cells are of the sides.
std::string key_of(const Record& row) {
  return fmt::format("{}\t{}\t{}\t{}", text_of(row, "model"), text_of(row, "phase"), stored_as(row),
                     number_of(row, "context"));
}

std::vector<std::string> cells_of(const Record& row) {
  return {text_of(row, "model"), text_of(row, "phase"), stored_as(row),
          fmt::format("{}", number_of(row, "context")), bytes(row.step->whole_model->weight_bytes)};
}

std::string_view how_found(const Capacity& capacity) {
  return capacity.allocated ? "" : " (counted)";
}

std::string fit_text(const Capacity& capacity) {
  if (capacity.largest_batch == 0) return "does not fit";
  return fmt::format("batch {}, context {}{}", capacity.largest_batch, capacity.largest_context,
                     how_found(capacity));
}

std::optional<std::string> largest_text(const Capacity& capacity) {
  if (!capacity.largest_model) return std::nullopt;  // of an older program
  const std::string& model = *capacity.largest_model;
  return fmt::format("{}{}", model.empty() ? "none" : model, how_found(capacity));
}

struct NaturalLess {
  bool operator()(const std::string& a, const std::string& b) const { return natural_less(a, b); }
};

// Fills in what `cell` says of each side's whole models. Rows are of one key; the first columns hold what
// `heading` says of a row, and those after them are the sides'.
template <class Key, class Heading, class Cell>
void add_by_side(Table& table, std::span<const Side> sides, Key key, Heading heading, Cell cell) {
  const std::size_t first = table.columns.size();
  for (const Side& side : sides) table.columns.push_back({side.label, Align::left});
  std::map<std::string, std::vector<std::string>, NaturalLess> rows;
  for (std::size_t i = 0; i < sides.size(); ++i)
    for (const Measurement& m : sides[i].measurements) {
      const Record& row = m.row();
      if (!row.step || !row.step->whole_model) continue;
      const std::optional<std::string> text = cell(*row.step->whole_model);
      if (!text) continue;
      auto& cells = rows[key(row)];
      if (cells.empty()) {
        cells = heading(row);
        cells.resize(table.columns.size(), "not measured");
      }
      cells[first + i] = *text;
    }
  for (auto& [name, cells] : rows) table.rows.push_back(std::move(cells));
}

}  // namespace

Table fit_table(std::span<const Side> sides) {
  Table table{.title = "What fits",
              .columns = {{"model", Align::left},
                          {"phase", Align::left},
                          {"weights", Align::left},
                          {"context [tokens]"},
                          {"weights' size"}},
              .notes = {"The largest batch of all blocks of the model at this context, and the "
                        "largest context of one sequence. Counted: from the tensors' bytes and the "
                        "device's memory; else all were allocated at once."}};
  add_by_side(table, sides, key_of, cells_of, fit_text);
  return table;
}

Table largest_models(std::span<const Side> sides) {
  Table table{.title = "The largest model that fits",
              .columns = {{"phase", Align::left}, {"weights", Align::left}, {"context [tokens]"}},
              .notes = {"Of the models that the programs know, the one with the most weights of "
                        "which one sequence of this context fits with all blocks on one device. "
                        "Counted: from the tensors' bytes and the device's memory; else all were "
                        "allocated at once."}};
  const auto heading = [](const Record& row) {
    return std::vector<std::string>{text_of(row, "phase"), stored_as(row),
                                    fmt::format("{}", number_of(row, "context"))};
  };
  const auto key = [&](const Record& row) {
    return fmt::format("{}", fmt::join(heading(row), "\t"));
  };
  add_by_side(table, sides, key, heading, largest_text);
  return table;
}

}  // namespace steelyard
