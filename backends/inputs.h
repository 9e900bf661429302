// SPDX-License-Identifier: Apache-2.0
// Deterministic inputs: Philox4x32-10 and a quantile table made of integers only, so that every
// machine and every backend works on the same bits (fp8: on the same values, whatever the
// encoding).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "backends/host_bytes.h"
#include "backends/operand.h"

namespace steelyard {

// normal: N(0,1), int8 scaled by 32, int4 by 2. uniform: [-1, 1) before rounding to the format,
// integers over their whole range.
// integers: small whole numbers whose products and sums are exact in every accumulator.
enum class Fill { normal, uniform, integers, ones, zeros };

std::string_view name(Fill fill);
std::optional<Fill> parse_fill(std::string_view text);

// A tensor on the host.
struct HostTensor {
  Operand operand;
  HostBytes data;
  Encoding encoding = Encoding::ocp;

  double at(std::int64_t index) const { return load(operand.dtype, data.data(), index, encoding); }
  std::vector<double> values() const;  // all elements, decoded
};

// Element `index` of the input number `position` in operands(problem): a pure function of its
// arguments. An element of a permutation, of choices or of a cycle costs as much as its whole
// tensor.
double input_value(const Problem& problem, std::size_t position, std::int64_t index, Fill fill,
                   std::uint64_t seed);

// The in and inout tensors of a problem, in the order of operands(). A derived input is left zero.
std::vector<HostTensor> make_inputs(const Problem& problem, Fill fill, std::uint64_t seed,
                                    Encoding encoding = Encoding::ocp);

// One of them, by its position in operands().
HostTensor make_input(const Problem& problem, std::size_t position, Fill fill, std::uint64_t seed,
                      Encoding encoding = Encoding::ocp);

// What every element of an operand is where a fill makes all the same.
std::optional<double> constant_value(const Operand& operand, Fill fill);

// One tensor on its own, by what its operand says it holds; `stream` tells it from others of the same
// seed. Content that takes its problem to know (offsets, derived) is zero.
HostTensor make_tensor(const Operand& operand, Fill fill, std::uint64_t stream, std::uint64_t seed,
                       Encoding encoding = Encoding::ocp);

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC11).
struct Philox {
  std::uint32_t word[4];
};
Philox philox(std::uint64_t counter, std::uint64_t stream, std::uint64_t seed);

}  // namespace steelyard
