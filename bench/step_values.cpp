// SPDX-License-Identifier: Apache-2.0
#include "bench/step_values.h"

#include <algorithm>

namespace steelyard {
namespace {

// In blocks: all values of a large weight at once would take four times its room.
template <class Function>
HostTensor computed(const Operand& operand, Encoding encoding, Function value) {
  constexpr std::int64_t block = 1 << 12;  // even: two int4 share a byte
  const std::int64_t count = elements(operand);
  HostTensor tensor = {operand, HostBytes(bytes(operand)), encoding};
#pragma omp parallel for
  for (std::int64_t first = 0; first < count; first += block) {
    std::vector<double> values(static_cast<std::size_t>(std::min(block, count - first)));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = value(first + static_cast<std::int64_t>(i));
    store(operand.dtype, tensor.data.data() + bytes(operand.dtype, first), values, encoding);
  }
  return tensor;
}

HostTensor scaled(HostTensor tensor, double factor) {
  if (factor == 1) return tensor;
  return computed(tensor.operand, tensor.encoding,
                  [&](std::int64_t i) { return factor * tensor.at(i); });
}

HostTensor copied(const HostTensor& source, const Operand& to) {
  return computed(to, source.encoding, [&](std::int64_t i) { return source.at(i); });
}

}  // namespace

std::optional<double> initial_constant(const StepTensor& tensor) {
  if (tensor.initial == Initial::nothing) return 0;
  return tensor.initial == Initial::constant ? std::optional(tensor.factor) : std::nullopt;
}

HostTensor initial_values(const Step& step, std::size_t place, Fill fill, std::uint64_t seed,
                          Encoding encoding) {
  const StepTensor& tensor = step.tensors[place];
  Operand operand = tensor.operand;
  const auto drawn = [&](Content content, std::int64_t limit) {
    operand.content = content;
    operand.limit = limit;
    return make_tensor(operand, fill, place, seed, encoding);
  };
  if (const auto constant = initial_constant(tensor))
    return computed(operand, encoding, [&](std::int64_t) { return *constant; });
  switch (tensor.initial) {
    case Initial::nothing:
    case Initial::constant:
      break;
    case Initial::random:
      return scaled(drawn(Content::values, 0), tensor.factor);
    case Initial::ids:
      return drawn(Content::index, tensor.limit);
    case Initial::pages:
      return drawn(Content::permutation, elements(operand));
    case Initial::positions:
      return computed(operand, encoding, [&](std::int64_t row) {
        return static_cast<double>(tensor.limit - tensor.period + row % tensor.period);
      });
    case Initial::last_rows:
      return computed(operand, encoding, [&](std::int64_t sequence) {
        return static_cast<double>((sequence + 1) * tensor.period - 1);
      });
    case Initial::copy:
      return copied(initial_values(step, tensor.source, fill, seed, encoding), operand);
  }
  return {};
}

std::int64_t kept_bytes(const Step& step) {
  constexpr std::int64_t most = std::int64_t{1} << 30;
  std::int64_t total = 0;
  for (const StepTensor& tensor : step.tensors)
    if (!initial_constant(tensor)) total += bytes(tensor.operand);
  return total > most ? 0 : total;
}

std::vector<HostTensor> kept_values(const Step& step, Fill fill, std::uint64_t seed,
                                    Encoding encoding) {
  if (kept_bytes(step) == 0) return {};
  std::vector<HostTensor> all(step.tensors.size());
  for (std::size_t place = 0; place < all.size(); ++place) {
    const StepTensor& tensor = step.tensors[place];
    if (tensor.initial == Initial::copy && !all[tensor.source].data.empty())
      all[place] = copied(all[tensor.source], tensor.operand);
    else if (!initial_constant(tensor))
      all[place] = initial_values(step, place, fill, seed, encoding);
  }
  return all;
}

}  // namespace steelyard
