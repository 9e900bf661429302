// SPDX-License-Identifier: Apache-2.0
// Which elements of a large output are checked: where tiles meet, and everywhere a little.
#include <algorithm>
#include <numeric>

#include "backends/oracle.h"

namespace steelyard {
namespace {

// First, last, and both sides of every multiple of a tile: the smallest with at most `most` of
// them.
std::vector<std::int64_t> edges(std::int64_t extent, std::int64_t most) {
  std::int64_t tile = 16;
  while (2 * (extent / tile) + 2 > most && tile < extent) tile *= 2;
  std::vector<std::int64_t> coordinates = {0, extent - 1};
  for (std::int64_t edge = tile; edge < extent; edge += tile) {
    coordinates.push_back(edge - 1);
    coordinates.push_back(edge);
  }
  return coordinates;
}

std::int64_t random_below(std::int64_t limit, std::int64_t draw) {
  const Philox random = philox(static_cast<std::uint64_t>(draw), 0, 0);
  const auto word = std::uint64_t{random.word[0]} << 32 | random.word[1];
  return static_cast<std::int64_t>(word % static_cast<std::uint64_t>(limit));
}

// Of indices that spread over [0, total), in linear time: about one lies in each bucket.
std::vector<std::int64_t> sorted(const std::vector<std::int64_t>& indices, std::int64_t total) {
  const auto count = static_cast<std::int64_t>(indices.size());
  const auto bucket_of = [=](std::int64_t index) { return index / (total / count + 1); };
  std::vector<std::int64_t> ends(count + 1);
  for (const std::int64_t index : indices) ++ends[bucket_of(index) + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<std::int64_t> all(indices.size());
  for (const std::int64_t index : indices) all[ends[bucket_of(index)]++] = index;
  auto begin = all.begin();
  for (const std::int64_t end : ends) {
    std::sort(begin, all.begin() + end);
    begin = all.begin() + end;
  }
  return all;
}

void sort_out(std::vector<std::int64_t>& indices, std::int64_t total) {
  indices = sorted(indices, total);
  const auto repeated = std::ranges::unique(indices);
  indices.erase(repeated.begin(), repeated.end());
}

}  // namespace

std::vector<std::int64_t> sample(const Operand& operand, std::int64_t count) {
  const std::int64_t total = elements(operand);
  const std::int64_t columns = operand.shape.back(), rows = total / columns;
  std::vector<std::int64_t> chosen;
  if (count >= total) {
    chosen.resize(total);
    std::iota(chosen.begin(), chosen.end(), 0);
    return chosen;
  }
  const std::int64_t share = count / 8;  // three rows and three columns leave a quarter to chance
  for (const std::int64_t row : {std::int64_t{0}, rows - 1, random_below(rows, 0)})
    for (const std::int64_t column : edges(columns, share))
      chosen.push_back(row * columns + column);
  for (const std::int64_t column : {std::int64_t{0}, columns - 1, random_below(columns, 1)})
    for (const std::int64_t row : edges(rows, share)) chosen.push_back(row * columns + column);
  sort_out(chosen, total);

  // The rest leaves out no column, or as few as it can.
  const std::int64_t rest = count - static_cast<std::int64_t>(chosen.size());
  for (std::int64_t i = 0; i < rest; ++i)
    chosen.push_back(random_below(rows, 2 + i) * columns + i * columns / rest);
  sort_out(chosen, total);
  return chosen;
}

}  // namespace steelyard
