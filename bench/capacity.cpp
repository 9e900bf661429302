// SPDX-License-Identifier: Apache-2.0
#include "bench/capacity.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "backends/transformer.h"
#include "bench/models.h"
#include "bench/rows.h"

namespace steelyard {
namespace {

using Fits = std::function<bool(int)>;

// The largest number that fits, of those below one that does not; 0 fits.
int largest_below(int too_many, const Fits& fits) {
  int most = 0;  // that is known to fit
  while (too_many - most > 1) {
    const int middle = most + (too_many - most) / 2;
    (fits(middle) ? most : too_many) = middle;
  }
  return most;
}

int largest(const Fits& fits) {
  constexpr int enough = 1 << 24;
  int too_many = 1;
  while (too_many < enough && fits(too_many)) too_many *= 2;
  return largest_below(too_many, fits);
}

bool stays(Role role) {
  return role == Role::weight || role == Role::cache;
}

// Of the tensors that a whole model has at once.
std::vector<std::int64_t> sizes_of(Transformer t) {
  std::vector<std::int64_t> sizes;
  const auto add = [&](std::int64_t blocks, auto wanted) {
    t.layers = blocks;
    for (const StepTensor& tensor : step_of(t).tensors)
      if (wanted(tensor.role)) sizes.push_back(bytes(tensor.operand));
  };
  if (trains(t.phase)) {
    add(t.blocks, [](Role) { return true; });
  } else {
    add(t.blocks, stays);
    add(1, [](Role role) { return !stays(role); });
  }
  return sizes;
}

std::int64_t needed_bytes(const Transformer& t) {
  const std::vector<std::int64_t> sizes = sizes_of(t);
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
}

Step whole_step(Transformer t) {
  t.layers = t.blocks;
  return step_of(t);
}

double weight_count(const Transformer& t) {
  double count = 0;
  for (const StepTensor& tensor : whole_step(t).tensors)
    if (tensor.role == Role::weight) count += static_cast<double>(elements(tensor.operand));
  return count;
}

Transformer with_batch(Transformer t, std::int64_t batch) {
  t.batch = batch;
  return t;
}

Transformer with_context(Transformer t, std::int64_t context) {
  t.context = context;
  if (t.phase != Phase::decode) t.tokens = context;
  return t;
}

bool is_possible(const Transformer& asked, std::int64_t room) {
  return fault(asked).empty() && needed_bytes(asked) <= room;
}

int counted_batch(const Transformer& single, std::int64_t room) {
  return largest([&](int batch) { return is_possible(with_batch(single, batch), room); });
}

// The name of the shipped model with the most weights; empty where none fits.
std::string largest_model(const Transformer& single,
                          const std::function<bool(const Transformer&)>& fits) {
  std::string name;
  double most = 0;
  for (const Model& model : shipped_models()) {
    const Transformer asked = asked_of(model, single);
    if (!fits(asked)) continue;
    const double count = weight_count(asked);
    if (count <= most) continue;
    name = asked.model;
    most = count;
  }
  return name;
}

// Of a step with one sequence.
Capacity find_capacity(Device& device, const Transformer& single) {
  const bool can_tell = device.holds({}).has_value();
  const std::int64_t room = can_tell ? device.free_bytes() : device.info().memory_bytes;
  const auto is_held = [&](const Transformer& asked) {
    return device.holds(sizes_of(asked)).value_or(true);
  };
  const auto is_batch_held = [&](int batch) { return is_held(with_batch(single, batch)); };
  const double one = static_cast<double>(needed_bytes(single)),
               two = static_cast<double>(needed_bytes(with_batch(single, 2)));
  const int counted = counted_batch(single, room);
  return {
      .weight_bytes = bytes_of(whole_step(single), Role::weight),
      .sequence_bytes = two - one,
      .largest_batch =
          counted == 0 || is_batch_held(counted) ? counted : largest_below(counted, is_batch_held),
      .largest_context =
          largest([&](int context) { return is_possible(with_context(single, context), room); }),
      .allocated = can_tell,
      .largest_model = largest_model(single, [&](const Transformer& asked) {
        return is_possible(asked, room) && is_held(asked);
      })};
}

}  // namespace

int largest_batch(const Transformer& transformer, std::int64_t bytes) {
  return largest([&](int batch) {
    return resident_bytes(step_of(with_batch(transformer, batch))) <= static_cast<double>(bytes);
  });
}

std::optional<Capacity> capacity_of(Device& device, const Transformer& transformer) {
  static std::map<std::string, Capacity> known;  // by device and step, whatever its batch
  if (!holds_whole_model(transformer.phase)) return std::nullopt;
  const Transformer single = with_batch(transformer, 1);
  const auto [entry, added] =
      known.try_emplace(fmt::format("{} {}", device_id(device.info()), id(single)));
  if (added) entry->second = find_capacity(device, single);
  return entry->second;
}

bool has_open_batch(const Problem& problem) {
  const auto* transformer = std::get_if<Transformer>(&problem);
  return transformer != nullptr && transformer->batch == open_batch;
}

Problem with_closed_batch(const Problem& problem) {
  return has_open_batch(problem) ? with_batch(std::get<Transformer>(problem), 1) : problem;
}

std::vector<Problem> batches_that_fit(const Problem& problem, const DeviceInfo& device) {
  if (!has_open_batch(problem)) return {problem};
  const auto& transformer = std::get<Transformer>(problem);
  if (device.emulated || !holds_whole_model(transformer.phase)) return {with_closed_batch(problem)};
  constexpr int digits = 5;
  const auto counted =
      static_cast<unsigned>(counted_batch(with_batch(transformer, 1), device.memory_bytes));
  const int dropped = std::max(0, static_cast<int>(std::bit_width(counted)) - digits);
  const std::int64_t largest = counted >> dropped << dropped;
  std::vector<Problem> all;
  std::int64_t batch = 1;
  for (; batch <= largest; batch *= 2) all.push_back(with_batch(transformer, batch));
  if (largest > batch / 2) all.push_back(with_batch(transformer, largest));
  all.push_back(with_batch(transformer, batch));
  return all;
}

}  // namespace steelyard
