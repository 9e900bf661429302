// SPDX-License-Identifier: Apache-2.0
#include "reports/fits.h"

#include <map>

#include <fmt/format.h>

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

std::string fit_text(const Capacity& capacity) {
  if (capacity.largest_batch == 0) return "does not fit";
  return fmt::format("batch {}, context {}{}", capacity.largest_batch, capacity.largest_context,
                     capacity.allocated ? "" : " (counted)");
}

struct NaturalLess {
  bool operator()(const std::string& a, const std::string& b) const { return natural_less(a, b); }
};

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
  for (const Side& side : sides) table.columns.push_back({side.label, Align::left});
  std::map<std::string, std::vector<std::string>, NaturalLess> rows;
  for (std::size_t i = 0; i < sides.size(); ++i)
    for (const Measurement& m : sides[i].measurements) {
      const Record& row = m.row();
      if (!row.step || !row.step->whole_model) continue;
      auto& cells = rows[key_of(row)];
      if (cells.empty()) {
        cells = cells_of(row);
        cells.resize(table.columns.size(), "not measured");
      }
      cells[table.columns.size() - sides.size() + i] = fit_text(*row.step->whole_model);
    }
  for (auto& [key, cells] : rows) table.rows.push_back(std::move(cells));
  return table;
}

}  // namespace steelyard
