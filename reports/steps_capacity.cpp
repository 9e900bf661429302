// SPDX-License-Identifier: Apache-2.0
// What fits.
#include <algorithm>

#include <fmt/format.h>

#include "reports/step_fields.h"
#include "reports/steps.h"

namespace steelyard {

Table capacities(std::span<const Measurement> measurements) {
  Table table = {
      .title = "Capacity: what of whole models fits",
      .columns = {{"model", Align::left},
                  {"phase", Align::left},
                  {"weights", Align::left},
                  {"device", Align::left},
                  {"context [tokens]"},
                  {"weights' size"},
                  {"a sequence"},
                  {"largest batch"},
                  {"largest context [tokens]"},
                  {"found by", Align::left}},
      .notes = {"All blocks of the model on one device. A sequence: what one more takes, "
                "at this context. Largest batch: at this context; largest context: of "
                "one sequence, counted. Training holds gradients, the optimiser's state "
                "and every activation; decoding weights, cache and the activations of "
                "one block.",
                "Found by allocating: all tensors were there at once. By counting: their "
                "bytes against all of the device's memory."}};
  for (const Measurement& m : measurements) {
    const Record& row = m.row();
    if (!row.step || !row.step->whole_model) continue;
    const Capacity& capacity = *row.step->whole_model;
    std::vector<std::string> cells = {text_of(row, "model"),
                                      text_of(row, "phase"),
                                      stored_as(row),
                                      row.device,
                                      fmt::format("{}", number_of(row, "context")),
                                      bytes(capacity.weight_bytes),
                                      bytes(capacity.sequence_bytes),
                                      fmt::format("{}", capacity.largest_batch),
                                      fmt::format("{}", capacity.largest_context),
                                      capacity.allocated ? "allocating" : "counting"};
    if (std::ranges::find(table.rows, cells) == table.rows.end())
      table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace steelyard
