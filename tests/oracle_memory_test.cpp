// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <set>

#include "tests/catch.h"
#include "tests/oracle.h"

namespace steelyard {
namespace {

Memory arrays(MemoryOp op, std::int64_t count) {
  return {.op = op, .dtype = DType::f64, .bytes = 8 * count};
}

std::vector<HostTensor> counting(const Problem& problem) {
  auto inputs = make_inputs(problem, Fill::zeros, 1);
  double first = 1;
  for (HostTensor& tensor : inputs) {
    Values values(elements(tensor.operand));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = first * (static_cast<double>(i) + 1);
    store(tensor.operand.dtype, tensor.data.data(), values);
    first = -10;
  }
  return inputs;
}

}  // namespace

TEST_CASE("the streaming operations do what BabelStream's do") {
  struct Case {
    MemoryOp op;
    Values expected;
  };
  const auto [op, expected] = GENERATE(
      Case{MemoryOp::write, {0.4, 0.4, 0.4}}, Case{MemoryOp::copy, {1, 2, 3}},
      Case{MemoryOp::mul, {0.4, 0.8, 1.2}}, Case{MemoryOp::add, {-9, -18, -27}},
      Case{MemoryOp::triad, {-3, -6, -9}}, Case{MemoryOp::read, {6}}, Case{MemoryOp::dot, {-140}});
  const Memory p = arrays(op, 3);
  CAPTURE(name(op));
  CHECK(largest_difference(reference(p, counting(p)).front().values, expected) < 1e-14);
}

TEST_CASE("sums carry the sum of their absolute terms and how many they are") {
  const Memory p = arrays(MemoryOp::dot, 3);
  const Expected dot = reference(p, counting(p)).front();
  CHECK(dot.magnitudes == Values{140});
  CHECK(dot.terms == 3);
  const Memory triad = arrays(MemoryOp::triad, 3);
  const Expected a = reference(triad, counting(triad)).front();
  CHECK(largest_difference(a.magnitudes, {5, 10, 15}) < 1e-14);
}

TEST_CASE("a long sum is more exact than one in f64") {
  const Memory p = arrays(MemoryOp::read, 4097);
  auto inputs = make_inputs(p, Fill::zeros, 1);
  Values a(4097, 0.125);  // each lost when added to 2^54, where doubles are 4 apart
  a[0] = 0x1p54;
  set(inputs, "a", a);
  CHECK(truth(p, inputs, "sum") == Values{0x1p54 + 512});
}

TEST_CASE("a chase ends on the predecessor of the element it started from") {
  const Memory p = {.op = MemoryOp::chase, .dtype = DType::int32, .bytes = 128 * 50};
  auto inputs = make_inputs(p, Fill::normal, 5);
  const Values next = get(inputs, "next");
  std::set<double> visited;
  double place = 0, last = -1;
  while (visited.insert(place).second) {
    last = place;
    place = next[static_cast<std::size_t>(place)];
  }
  REQUIRE(visited.size() == 50);
  CHECK(truth(p, inputs, "last") == Values{last});
  CHECK(next[static_cast<std::size_t>(last)] == 0);
}

TEST_CASE("a copy is the bytes it was made from") {
  const Copy p = {.bytes = 1000};
  auto inputs = make_inputs(p, Fill::uniform, 3);
  CHECK(truth(p, inputs, "to") == get(inputs, "from"));
}

TEST_CASE("a sample of a long array is taken where sample() says") {
  const Memory p = arrays(MemoryOp::triad, 5000);
  auto inputs = make_inputs(p, Fill::normal, 3);
  const Values b = get(inputs, "b"), c = get(inputs, "c");
  const Expected a = reference(p, inputs, 100).front();
  REQUIRE(a.elements == sample(a.operand, 100));
  for (std::size_t s = 0; s < a.elements.size(); ++s)
    CHECK(a.values[s] == b[a.elements[s]] + 0.4 * c[a.elements[s]]);
}

}  // namespace steelyard
