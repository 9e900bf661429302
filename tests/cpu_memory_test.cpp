// SPDX-License-Identifier: Apache-2.0
// Every variant of the memory kernels against the definitions of the operations, written out here.
#include "backends/cpu/memory.h"

#include <algorithm>
#include <cmath>

#include "backends/cpu/kernels.h"
#include "tests/catch.h"

using namespace steelyard;
using namespace steelyard::cpu;

namespace {

constexpr double scalar = 0.4;

// What element i of the output is, given the inputs in the order of operands().
long double expected(MemoryOp op, const std::vector<HostTensor>& in, std::int64_t i) {
  switch (op) {
    case MemoryOp::write:
      return scalar;
    case MemoryOp::copy:
      return in[0].at(i);
    case MemoryOp::mul:
      return scalar * in[0].at(i);
    case MemoryOp::add:
      return in[0].at(i) + in[1].at(i);
    case MemoryOp::triad:
      return in[0].at(i) + scalar * in[1].at(i);
    case MemoryOp::read:
      return in[0].at(i);
    case MemoryOp::dot:
      return static_cast<long double>(in[0].at(i)) * in[1].at(i);
    case MemoryOp::chase:
      break;
  }
  return NAN;
}

// One, less than a vector, around vectors and pages, several blocks of a sum and a remainder.
const std::int64_t counts[] = {1, 3, 7, 64, 65, 511, 513, 1024, 40000, 100003};

const InstructionSet sets[] = {InstructionSet::baseline, InstructionSet::v3, InstructionSet::v4,
                               InstructionSet::v4_dot};

template <class Check>
void for_each_variant(MemoryOp op, Check check) {
  for (const InstructionSet set : sets) {
    if (!can_run(set)) continue;
    for (const Store store : {Store::temporal, Store::nontemporal})
      for (const DType type : {DType::f64, DType::f32})
        for (const std::int64_t count : counts) {
          const Memory problem = {op, type, count * bits(type) / 8};
          INFO(id(problem) << ' ' << name(set) << " nontemporal " << (store != Store::temporal));
          const auto run = prepare_stream(set, store, problem, {.guard_bytes = 4096});
          run->launch(0);
          check(problem, *run);
          CHECK(run->damage(0).empty());
        }
  }
}

// An equal result of the type's own arithmetic: one rounding for the product, one for the sum.
bool is_near(DType type, double value, long double wanted) {
  return std::abs(value - wanted) <= 4 * unit_roundoff(type) * (std::abs(wanted) + 1);
}

const Kernel& row(std::string_view wanted) {
  for (const Kernel& kernel : memory_kernels())
    if (kernel.name == wanted) return kernel;
  throw std::out_of_range("no such row");
}

}  // namespace

TEST_CASE("Every map writes all elements of its output and nothing else") {
  CpuDevice device;
  for (const MemoryOp op :
       {MemoryOp::write, MemoryOp::copy, MemoryOp::mul, MemoryOp::add, MemoryOp::triad})
    for_each_variant(op, [&](const Memory& problem, Run& run) {
      const std::vector<HostTensor> in = make_inputs(problem, Fill::normal, 42);
      const HostTensor out = device.read(run.outputs(0)[0]);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < elements(out.operand); ++i)
        wrong += !is_near(problem.dtype, out.at(i), expected(op, in, i));
      CHECK(wrong == 0);
    });
}

// Recursive summation of n terms in precision u errs by at most n u sum|term| (Higham, Accuracy and
// Stability, 4.2). The kernels add at most 8192 terms in f32 before they widen, and the result is
// rounded once.
TEST_CASE("Every sum counts all elements once") {
  CpuDevice device;
  for (const MemoryOp op : {MemoryOp::read, MemoryOp::dot})
    for_each_variant(op, [&](const Memory& problem, Run& run) {
      const std::vector<HostTensor> in = make_inputs(problem, Fill::normal, 42);
      const std::int64_t count = elements(in[0].operand);
      long double sum = 0, magnitude = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        sum += expected(op, in, i);
        magnitude += std::abs(expected(op, in, i));
      }
      const double value = device.read(run.outputs(0)[0]).at(0);
      const auto terms = static_cast<double>(std::min<std::int64_t>(count, 8192) + 2);
      CHECK(std::abs(value - sum) <= terms * unit_roundoff(problem.dtype) * magnitude);
    });
}

TEST_CASE("Sums of whole numbers are exact: no element is lost or counted twice") {
  CpuDevice device;
  for (const MemoryOp op : {MemoryOp::read, MemoryOp::dot})
    for (const std::int64_t count : {999983, 1 << 20}) {
      const Memory problem = {op, DType::f32, count * 4};
      const auto run = row("stream").prepare(device, problem, {.fill = Fill::ones});
      run->launch(0);
      CHECK(device.read(run->outputs(0)[0]).at(0) == static_cast<double>(count));
    }
}

// A cycle through every line, walked in whole rounds less one step, ends on the line that links to
// element 0.
TEST_CASE("The chase ends on the predecessor of element 0") {
  CpuDevice device;
  for (const std::int64_t bytes : {128, 1024, 1 << 20, 4 << 20}) {
    const Memory problem = {MemoryOp::chase, DType::int32, bytes};
    const auto run = row("pointer_chase").prepare(device, problem, {});
    run->launch(0);
    const HostTensor next = make_inputs(problem, Fill::normal, 42)[0];
    const auto last = static_cast<std::int64_t>(device.read(run->outputs(0)[0]).at(0));
    CHECK(next.at(last) == 0);
    CHECK(run->damage(0).empty());
  }
}

TEST_CASE("A type that is not streamed is declined with its name, a chase is another row's") {
  const DeviceInfo cpu;
  const Support bf16 = row("stream").supports(Memory{MemoryOp::copy, DType::bf16, 4096}, cpu);
  CHECK(bf16.answer == Support::no);
  CHECK(bf16.reason.find("bf16") != std::string::npos);
  const Memory chase = {MemoryOp::chase, DType::int32, 4096};
  CHECK(row("stream").supports(chase, cpu).answer == Support::foreign);
  CHECK(row("pointer_chase").supports(chase, cpu).answer == Support::yes);
  CHECK(row("pointer_chase").supports(Memory{}, cpu).answer == Support::foreign);
}

TEST_CASE("Copies across a link and launches of empty kernels make no row on a CPU") {
  const Backend& cpu = *std::ranges::find(backends(), "cpu", &Backend::name);
  for (const Kernel& kernel : cpu.kernels)
    for (const Problem& problem : {Problem(Copy{.bytes = 4096}), Problem(Launch{})}) {
      INFO(kernel.name << ' ' << id(problem));
      CHECK(kernel.supports(problem, DeviceInfo{}).answer == Support::foreign);
    }
}
