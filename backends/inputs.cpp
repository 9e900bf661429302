// SPDX-License-Identifier: Apache-2.0
#include "backends/inputs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <numeric>
#include <utility>

#include "backends/normal.h"

namespace steelyard {
namespace {

constexpr std::string_view fill_names[] = {"normal", "uniform", "integers", "ones", "zeros"};

// Uniform in [0, limit) for limit <= 2^31.
std::int64_t below(std::int64_t limit, std::uint32_t word) {
  return limit * word >> 32;
}

double normal_scale(DType type) {
  if (type == DType::int4) return 2;
  return is_integer(type) ? 32 : 1;
}

// Calls function(value), where value makes an element of 32 random bits.
template <class Function>
void with_fill(DType type, Fill fill, Function function) {
  switch (fill) {
    case Fill::normal: {
      const HalfNormal& table = half_normal();
      const double scale = normal_scale(type);
      return function([&table, scale](auto word) { return scale * normal(table, word); });
    }
    case Fill::uniform: {
      if (!is_integer(type))
        return function([](auto word) { return static_cast<std::int32_t>(word) * 0x1p-31; });
      const int dropped = 32 - bits(type);
      return function([=](auto word) { return static_cast<std::int32_t>(word) >> dropped; });
    }
    case Fill::integers:
      return function([](auto word) { return below(9, word) - 4; });
    case Fill::ones:
    case Fill::zeros:
      return;  // constants
  }
}

// The same for an operand, by what it holds.
template <class Function>
void with_content(const Operand& operand, Fill fill, Function function) {
  if (const auto value = constant_value(operand, fill))
    return function([value = *value](auto) { return value; });
  switch (operand.content) {
    case Content::values:
      return with_fill(operand.dtype, fill, function);
    case Content::positive:
      return with_fill(operand.dtype, fill, [&](auto value) {
        function([=](auto word) { return std::abs(value(word)); });
      });
    case Content::scale:
      return function([](auto word) { return 0.5 + word * 0x1p-32; });
    case Content::index:
      return function([limit = operand.limit](auto word) { return below(limit, word); });
    default:
      return function([](auto) { return 0; });
  }
}

// Where the random bits of an operand come from: element i has word i % 4 of block i / 4.
struct Source {
  std::uint64_t stream, seed;

  std::uint32_t word(std::int64_t index) const {
    return philox(index / 4, stream, seed).word[index % 4];
  }
};

// Elements first, first + 1 ... of an operand whose elements are independent; 4 divides first.
void draw(const Operand& operand, Fill fill, Source source, std::int64_t first,
          std::span<double> values) {
  with_content(operand, fill, [&](auto value) {
    for (std::size_t i = 0; i < values.size(); i += 4) {
      const Philox random = philox((first + i) / 4, source.stream, source.seed);
      for (std::size_t lane = 0; lane < 4 && i + lane < values.size(); ++lane)
        values[i + lane] = static_cast<double>(value(random.word[lane]));
    }
  });
  // An fp8 value is rounded in OCP whatever the encoding: FNUZ has all of OCP's numbers up to 240
  // but negative zero, and no fill goes beyond.
  if (operand.dtype == DType::fp8_e4m3 || operand.dtype == DType::fp8_e5m2)
    for (double& value : values) value = round_to(operand.dtype, value) + 0.0;
  // Matrix units of MI250 take f16 below the normal range as zeros: everybody gets zeros there.
  if (operand.dtype == DType::f16)
    for (double& value : values)
      if (std::abs(value) < 0x1p-14) value = 0;
}

using Sequence = std::vector<std::int32_t>;

// Fisher and Yates; the standard library's shuffle differs from one library to the next.
Sequence permutation(std::int64_t count, Source source) {
  Sequence order(count);
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = count - 1; i > 0; --i)
    std::swap(order[i], order[below(i + 1, source.word(i))]);
  return order;
}

// Floyd's sampling without replacement: one draw per choice.
Sequence choices(std::int64_t count, std::int64_t per_row, std::int64_t limit, Source source) {
  Sequence all(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto row = all.begin() + i / per_row * per_row, place = all.begin() + i;
    const std::int64_t last = limit - per_row + i % per_row;
    const auto drawn = static_cast<std::int32_t>(below(last + 1, source.word(i)));
    *place = std::find(row, place, drawn) == place ? drawn : static_cast<std::int32_t>(last);
  }
  return all;
}

Sequence positions(std::int64_t rows, std::int64_t limit) {
  Sequence all(rows);
  std::iota(all.begin(), all.end(), static_cast<std::int32_t>(limit - rows));
  return all;
}

double share(Routing routing, std::int64_t rank) {
  switch (routing) {
    case Routing::uniform:
      return 1;
    case Routing::zipf:
      return 1.0 / static_cast<double>(rank);
    case Routing::one_hot:
      return rank == 1;
  }
  return 0;
}

Sequence offsets(std::int64_t groups, Routing routing, std::int64_t rows) {
  std::vector<double> sums = {0};
  for (std::int64_t rank = 1; rank <= groups; ++rank)
    sums.push_back(sums.back() + share(routing, rank));
  Sequence all;
  for (const double sum : sums)
    all.push_back(static_cast<std::int32_t>(std::lround(rows * sum / sums.back())));
  return all;
}

Sequence cycle(std::int64_t count, Source source) {
  constexpr std::int64_t line = 128 / sizeof(std::int32_t);
  const Sequence order = permutation((count + line - 1) / line, source);
  Sequence next(count);
  for (std::size_t i = 0; i < order.size(); ++i)
    next[order[i] * line] = static_cast<std::int32_t>(order[(i + 1) % order.size()] * line);
  return next;
}

// The int32 operands whose elements depend on each other; empty for all others.
Sequence sequence(const Operand& operand, Source source) {
  const std::int64_t count = elements(operand);
  switch (operand.content) {
    case Content::permutation:
      return permutation(count, source);
    case Content::choices:
      return choices(count, operand.shape.back(), operand.limit, source);
    case Content::positions:
      return positions(count, operand.limit);
    case Content::cycle:
      return cycle(count, source);
    default:
      return {};
  }
}

// The same, or offsets, which depend on the problem.
Sequence sequence(const Problem& problem, const Operand& operand, Source source) {
  if (operand.content == Content::offsets)
    return offsets(elements(operand) - 1, std::get<Gemm>(problem).routing, operand.limit);
  return sequence(operand, source);
}

// Blocks of even size never share a byte, and each is a function of its place alone.
void draw_all(HostTensor& tensor, Fill fill, Source source) {
  constexpr std::int64_t block = 1 << 12;
  const DType type = tensor.operand.dtype;
  const std::int64_t count = elements(tensor.operand);
#pragma omp parallel for
  for (std::int64_t first = 0; first < count; first += block) {
    std::array<double, block> buffer;
    const std::span values(buffer.data(), std::min(block, count - first));
    draw(tensor.operand, fill, source, first, values);
    store(type, tensor.data.data() + bytes(type, first), values, tensor.encoding);
  }
}

// With the elements of `whole`, or drawn one by one where there are none.
HostTensor filled(const Operand& operand, const Sequence& whole, Fill fill, Source source,
                  Encoding encoding) {
  HostTensor tensor = {operand, HostBytes(bytes(operand)), encoding};
  if (whole.empty())
    draw_all(tensor, fill, source);
  else
    std::memcpy(tensor.data.data(), whole.data(), tensor.data.size());
  return tensor;
}

}  // namespace

std::string_view name(Fill fill) {
  return fill_names[static_cast<int>(fill)];
}

std::optional<Fill> parse_fill(std::string_view text) {
  const auto found = std::find(std::begin(fill_names), std::end(fill_names), text);
  if (found == std::end(fill_names)) return std::nullopt;
  return static_cast<Fill>(found - std::begin(fill_names));
}

std::optional<double> constant_value(const Operand& operand, Fill fill) {
  const bool random = fill == Fill::normal || fill == Fill::uniform;
  switch (operand.content) {
    case Content::values:
    case Content::positive:
      if (fill == Fill::ones) return 1;
      return fill == Fill::zeros ? std::optional<double>(0) : std::nullopt;
    case Content::scale:
      return random ? std::nullopt : std::optional<double>(1);
    case Content::derived:
      return 0;
    default:
      return std::nullopt;
  }
}

std::vector<double> HostTensor::values() const {
  std::vector<double> all(elements(operand));
  load(operand.dtype, data.data(), all, encoding);
  return all;
}

Philox philox(std::uint64_t counter, std::uint64_t stream, std::uint64_t seed) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  std::uint32_t x0 = low(counter), x1 = high(counter), x2 = low(stream), x3 = high(stream);
  std::uint32_t key0 = low(seed), key1 = high(seed);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xd2511f53} * x0;
    const std::uint64_t product1 = std::uint64_t{0xcd9e8d57} * x2;
    x0 = high(product1) ^ x1 ^ key0;
    x1 = low(product1);
    x2 = high(product0) ^ x3 ^ key1;
    x3 = low(product0);
    key0 += 0x9e3779b9;  // the golden ratio
    key1 += 0xbb67ae85;  // sqrt(3) - 1
  }
  return {{x0, x1, x2, x3}};
}

double input_value(const Problem& problem, std::size_t position, std::int64_t index, Fill fill,
                   std::uint64_t seed) {
  const Operand operand = operands(problem).at(position);
  const Source source = {position, seed};
  const Sequence whole = sequence(problem, operand, source);
  if (!whole.empty()) return whole.at(index);
  std::array<double, 4> block;
  draw(operand, fill, source, index / 4 * 4, block);
  return round_to(operand.dtype, block[index % 4]);
}

std::vector<HostTensor> make_inputs(const Problem& problem, Fill fill, std::uint64_t seed,
                                    Encoding encoding) {
  std::vector<HostTensor> inputs;
  const std::vector<Operand> all = operands(problem);
  for (std::size_t position = 0; position < all.size(); ++position)
    if (all[position].access != Access::out)
      inputs.push_back(make_input(problem, position, fill, seed, encoding));
  return inputs;
}

HostTensor make_input(const Problem& problem, std::size_t position, Fill fill, std::uint64_t seed,
                      Encoding encoding) {
  const Operand operand = operands(problem).at(position);
  const Source source = {position, seed};
  return filled(operand, sequence(problem, operand, source), fill, source, encoding);
}

HostTensor make_tensor(const Operand& operand, Fill fill, std::uint64_t stream, std::uint64_t seed,
                       Encoding encoding) {
  const Source source = {stream, seed};
  return filled(operand, sequence(operand, source), fill, source, encoding);
}

}  // namespace steelyard
