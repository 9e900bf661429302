// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/truth.h"

namespace steelyard::cpu {
namespace {

// sum = term(0) + ... + term(count - 1), wider than the f64 kernels it judges.
template <class Term>
void reduce(Expected& sum, std::int64_t count, Term term) {
  long double value = 0, magnitude = 0;
#pragma omp parallel for schedule(static) reduction(+ : value, magnitude)
  for (std::int64_t i = 0; i < count; ++i) {
    value += term(i);
    magnitude += std::abs(term(i));
  }
  sum.terms = count;
  make_room<Sum>(sum);
  put(sum, 0, Sum{static_cast<double>(value), static_cast<double>(magnitude)});
}

// output[i] = x(i) + y(i).
template <class X, class Y>
void add(Expected& output, X x, Y y) {
  output.terms = 2;
  each_element(output, [&](std::int64_t i) { return sum_of(x(i), y(i)); });
}

// Where a walk of `steps` links from element 0 ends.
std::int64_t walk(const HostTensor& next, std::int64_t steps) {
  std::int64_t place = 0;
  for (std::int64_t step = 0; step < steps; ++step)
    place = static_cast<std::int64_t>(next.at(place));
  return place;
}

}  // namespace

void answer(const Memory& p, Question& question) {
  const auto array = [&](std::string_view name) {
    return [&tensor = question.input(name)](std::int64_t i) { return tensor.at(i); };
  };
  const auto scaled = [&](std::string_view name) {
    return [x = array(name)](std::int64_t i) { return stream_scalar * x(i); };
  };
  Expected& output = question.outputs.front();
  const std::int64_t count = question.inputs.empty() ? 0 : elements(question.inputs[0].operand);
  switch (p.op) {
    case MemoryOp::read:
      return reduce(output, count, array("a"));
    case MemoryOp::write:
      return each_element(output, [](std::int64_t) { return stream_scalar; });
    case MemoryOp::copy:
      return each_element(output, array("a"));
    case MemoryOp::mul:
      return each_element(output, scaled("c"));
    case MemoryOp::add:
      return add(output, array("a"), array("b"));
    case MemoryOp::triad:
      return add(output, array("b"), scaled("c"));
    case MemoryOp::dot:
      return reduce(output, count,
                    [a = array("a"), b = array("b")](std::int64_t i) { return a(i) * b(i); });
    case MemoryOp::chase:
      make_room<double>(output);
      return put(output, 0, static_cast<double>(walk(question.input("next"), chase_steps(p))));
  }
}

void answer(const Copy&, Question& question) {
  const HostTensor& from = question.input("from");
  each_element(question.output("to"), [&](std::int64_t i) { return from.at(i); });
}

}  // namespace steelyard::cpu
