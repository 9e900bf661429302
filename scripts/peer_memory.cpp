// SPDX-License-Identifier: Apache-2.0
// How the rows of the CPU compare with what a compiler makes of STREAM's plain loops: both take
// turns on arrays of the same size with the same threads; one ratio per round.
#include <functional>

#include "backends/cpu/kernels.h"
#include "backends/cpu/region.h"
#include "backends/cpu/run.h"
#include "backends/cpu/threads.h"
#include "scripts/interleave.h"

using namespace steelyard;

namespace {

constexpr std::int64_t array_bytes = 128 << 20, count = array_bytes / 8;
constexpr int rounds = 30, launches = 4;

// Three arrays that every thread touched first where it will work.
struct Arrays {
  cpu::Region memory[3] = {cpu::Region(array_bytes), cpu::Region(array_bytes),
                           cpu::Region(array_bytes)};
  double* a = reinterpret_cast<double*>(memory[0].data());
  double* b = reinterpret_cast<double*>(memory[1].data());
  double* c = reinterpret_cast<double*>(memory[2].data());
  double sum = 0;

  Arrays() {
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < count; ++i) {
      a[i] = 0.1;
      b[i] = 0.2;
      c[i] = 0.0;
    }
  }
};

// Not `arrays.a[i]` in the loops: a store could then change the pointers, and nothing is
// vectorised.
void copy(Arrays& arrays) {
  const double* __restrict a = arrays.a;
  double* __restrict c = arrays.c;
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) c[i] = a[i];
}
void mul(Arrays& arrays) {
  const double* __restrict c = arrays.c;
  double* __restrict b = arrays.b;
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) b[i] = stream_scalar * c[i];
}
void add(Arrays& arrays) {
  const double* __restrict a = arrays.a, * __restrict b = arrays.b;
  double* __restrict c = arrays.c;
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) c[i] = a[i] + b[i];
}
void triad(Arrays& arrays) {
  const double* __restrict b = arrays.b, * __restrict c = arrays.c;
  double* __restrict a = arrays.a;
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) a[i] = b[i] + stream_scalar * c[i];
}
void dot(Arrays& arrays) {
  const double* __restrict a = arrays.a, * __restrict b = arrays.b;
  double sum = 0;
#pragma omp parallel for simd schedule(static) reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  arrays.sum = sum;
}

void compare(const Memory& problem, void (*loop)(Arrays&), Arrays& arrays, cpu::CpuDevice& device) {
  for (const Kernel& kernel : cpu::memory_kernels()) {
    if (kernel.supports(problem, device.info()).answer != Support::yes) continue;
    const auto run = kernel.prepare(device, problem, {});
    cpu::pin_team();
    const auto turn = [](const std::function<void()>& launch) {
      return [=] {
        return seconds([&] {
          for (int i = 0; i < launches; ++i) launch();
        });
      };
    };
    const std::vector<Times> times = interleave(
        rounds, std::vector<Turn>{turn([&] { run->launch(0); }), turn([&] { loop(arrays); })});
    fmt::print("{:<6} {:<16} {:6.1f} GB/s, {} of the plain loop\n", name(problem.op), kernel.name,
               work(problem).bytes * launches / quantile(times[0], 0.5) / 1e9,
               speed_ratio(times[0], times[1]));
  }
}

}  // namespace

int main() {
  cpu::CpuDevice device;
  cpu::pin_team();
  Arrays arrays;
  constexpr struct {
    MemoryOp op;
    void (*loop)(Arrays&);
  } pairs[] = {{MemoryOp::copy, copy},
               {MemoryOp::mul, mul},
               {MemoryOp::add, add},
               {MemoryOp::triad, triad},
               {MemoryOp::dot, dot}};
  for (const auto& [op, loop] : pairs) compare({op, DType::f64, array_bytes}, loop, arrays, device);
}
