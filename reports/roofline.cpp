// SPDX-License-Identifier: Apache-2.0
#include "reports/roofline.h"

#include <algorithm>

#include <fmt/format.h>

#include "reports/step_fields.h"

namespace steelyard {
namespace {

void raise(std::vector<Ceiling>& ceilings, std::string_view dtype, double per_second,
           const Measurement& by) {
  if (!(per_second > 0)) return;
  auto ceiling = std::ranges::find(ceilings, dtype, &Ceiling::dtype);
  if (ceiling == ceilings.end())
    ceiling = ceilings.insert(ceilings.end(), {.dtype = std::string(dtype)});
  if (per_second > ceiling->per_second) {
    ceiling->per_second = per_second;
    ceiling->measured_by = key(by.row());
  }
}

bool streams_memory(const Record& row) {
  return row.family == "memory" && metric(row) == Metric::bandwidth && uses_device_memory(row);
}

// Memory first, then types by their rates.
std::vector<Ceiling> ceilings_of(const Side& side) {
  std::vector<Ceiling> ceilings;
  for (const Measurement& m : side.measurements) {
    const Record& row = m.row();
    if (streams_memory(row)) raise(ceilings, "", row.bytes / m.time.seconds, m);
    if (row.family == "gemm") raise(ceilings, compute_dtype(row), row.flops / m.time.seconds, m);
    if (!row.step) continue;
    const StepFacts facts = facts_of_all(row);
    raise(ceilings, "", facts.read_bytes_per_second, m);
    raise(ceilings, compute_dtype(row), facts.flops_per_second, m);
  }
  std::ranges::stable_sort(ceilings, {}, [](const Ceiling& ceiling) {
    return std::pair(!ceiling.dtype.empty(), ceiling.per_second);
  });
  return ceilings;
}

bool has_place(const Record& row) {
  return row.bytes > 0 && metric(row) != Metric::latency && uses_device_memory(row);
}

const Ceiling* find(const std::vector<Ceiling>& ceilings, std::string_view dtype) {
  const auto found = std::ranges::find(ceilings, dtype, &Ceiling::dtype);
  return found == ceilings.end() ? nullptr : &*found;
}

std::optional<Place> place(const Measurement& m, const std::vector<Ceiling>& ceilings) {
  const Record& row = m.row();
  const Ceiling* memory = find(ceilings, "");
  const Ceiling* compute = row.flops > 0 ? find(ceilings, compute_dtype(row)) : nullptr;
  const double of_memory = memory ? row.bytes / m.time.seconds / memory->per_second : 0;
  const double of_compute = compute ? row.flops / m.time.seconds / compute->per_second : 0;
  if (!memory && !compute) return std::nullopt;
  // The lower roof is the one that a row is nearer to.
  const bool under_memory = of_memory >= of_compute;
  return Place{.measurement = &m,
               .flops_per_byte = row.flops / row.bytes,
               .bound = under_memory ? memory : compute,
               .share = std::max(of_memory, of_compute),
               .is_only_ceiling = row.flops > 0 && !(memory && compute)};
}

std::string name_of(const Ceiling& ceiling) {
  return ceiling.dtype.empty() ? "memory" : ceiling.dtype;
}

std::string rate_of(const Ceiling& ceiling) {
  return rate(ceiling.per_second, ceiling.dtype.empty() ? "B/s" : "FLOP/s");
}

std::string rate_of(const Measurement& m) {
  const Record& row = m.row();
  return row.flops > 0 ? rate(row.flops / m.time.seconds, "FLOP/s")
                       : rate(row.bytes / m.time.seconds, "B/s");
}

Table ceiling_table(std::span<const UnderRoofs> devices) {
  Table table{
      .title = "Measured ceilings",
      .columns = {{"device", Align::left},
                  {"roof", Align::left},
                  {"rate"},
                  {"measured by", Align::left}},
      .notes = {"The best rate at which a device read or streamed memory, and of its matrix "
                "products by type: what was measured, not what a datasheet says."}};
  for (const UnderRoofs& device : devices)
    for (const Ceiling& ceiling : device.ceilings)
      table.rows.push_back(
          {device.device, name_of(ceiling), rate_of(ceiling), ceiling.measured_by});
  return table;
}

Table place_table(const UnderRoofs& device) {
  Table table{
      .title = "Roofline: " + device.device,
      .columns = {{"problem", Align::left},
                  {"kernel", Align::left},
                  {"tier", Align::left},
                  {"fill/cache/mode", Align::left},
                  {"FLOP/byte"},
                  {"rate"},
                  {"bound by", Align::left},
                  {"of attainable"}},
      .notes = {"FLOP/byte: the least work over the least traffic of a problem. Of attainable: "
                "the rate over the lower of both measured roofs at that intensity."}};
  bool only = false;
  for (const Place& place : device.places) {
    const Record& row = place.measurement->row();
    only = only || place.is_only_ceiling;
    table.rows.push_back({row.id, row.kernel, row.tier, settings(row),
                          fmt::format("{:.3g}", place.flops_per_byte), rate_of(*place.measurement),
                          name_of(*place.bound) + (place.is_only_ceiling ? " *" : ""),
                          percent(place.share)});
  }
  if (only) table.notes.emplace_back("* The other roof was not measured: it may be lower.");
  return table;
}

Roofline chart_of(const UnderRoofs& device) {
  Roofline chart{
      .title = "Roofline: " + device.device,
      .description =
          "Rates of rows over their operational intensity, under the memory and matrix "
          "product rates that the device was measured to reach. The table has the numbers."};
  for (const Ceiling& ceiling : device.ceilings)
    if (!ceiling.dtype.empty())
      chart.roofs.push_back({.name = ceiling.dtype + ", measured",
                             .flops_per_second = ceiling.per_second,
                             .bytes_per_second = device.ceilings.front().per_second});
  for (const Place& place : device.places) {
    const Record& row = place.measurement->row();
    if (row.flops > 0)
      chart.points.push_back({.label = fmt::format("{} {}", row.id, row.kernel),
                              .series = row.family,
                              .flops_per_byte = place.flops_per_byte,
                              .flops_per_second = row.flops / place.measurement->time.seconds});
  }
  return chart;
}

bool has_both_roofs(const UnderRoofs& device) {
  return device.ceilings.size() > 1 && device.ceilings.front().dtype.empty();
}

}  // namespace

UnderRoofs under_roofs(const Side& side) {
  UnderRoofs device{.device = side.label, .ceilings = ceilings_of(side)};
  for (const Measurement& m : side.measurements)
    if (has_place(m.row()))
      if (const auto found = place(m, device.ceilings)) device.places.push_back(*found);
  return device;
}

void add_rooflines(Document& document, std::span<const Side> sides) {
  std::vector<UnderRoofs> devices;
  for (const Side& side : sides) devices.push_back(under_roofs(side));
  document.add(ceiling_table(devices));
  for (const UnderRoofs& device : devices) {
    if (has_both_roofs(device)) document.add(chart_of(device));
    document.add(place_table(device));
  }
}

}  // namespace steelyard
