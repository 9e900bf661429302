// SPDX-License-Identifier: Apache-2.0
// The faults of products that the checks of other suites let pass, planted into the outputs of a right
// kernel; and that no right product is called wrong.
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "backends/cpu/kernels.h"
#include "backends/cpu/run.h"
#include "bench/freivalds.h"
#include "bench/verify.h"
#include "tests/catch.h"

namespace steelyard {
namespace {

// A right product, and what it was made of.
struct Product {
  Gemm problem;
  std::vector<HostTensor> inputs;
  HostTensor c;

  explicit Product(const Gemm& p, std::uint64_t seed = Inputs{}.seed)
      : problem(p), inputs(make_inputs(p, Fill::normal, seed)) {
    cpu::CpuDevice device;
    const auto run = cpu::gemm_kernels().front().prepare(device, p, {.seed = seed});
    launch_once(device, *run, 0);
    c = device.read(run->outputs(0).at(0));
  }

  double a(std::int64_t i, std::int64_t l) const { return inputs[0].at(i * problem.k + l); }
  double b(std::int64_t l, std::int64_t j) const { return inputs[1].at(l * problem.n + j); }
  double at(std::int64_t i, std::int64_t j) const { return c.at(i * problem.n + j); }
  void put(std::int64_t i, std::int64_t j, double value) {
    store(problem.c, c.data.data(), i * problem.n + j, value);
  }
};

Gemm shape(DType in, DType out, std::int64_t m = 512, std::int64_t n = 512, std::int64_t k = 1024) {
  return {.m = m, .n = n, .k = k, .a = in, .b = in, .c = out};
}

// The element of a row with the largest magnitude: relative faults of a tiny one are no faults.
std::int64_t largest_of_row(const Product& x, std::int64_t row) {
  std::int64_t largest = 0;
  for (std::int64_t j = 0; j < x.problem.n; ++j)
    if (std::abs(x.at(row, j)) > std::abs(x.at(row, largest))) largest = j;
  return largest;
}

void scale_one(Product& x, double factor) {
  const std::int64_t row = x.problem.m / 3, column = largest_of_row(x, row);
  x.put(row, column, factor * x.at(row, column));
}

void zero_tile(Product& x, std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = 0; j < size; ++j) x.put(64 + i, 128 + j, 0);
}

void leave_out(Product& x, std::int64_t last) {
  for (std::int64_t i = 0; i < x.problem.m; ++i)
    for (std::int64_t j = 0; j < x.problem.n; ++j) {
      double missing = 0;
      for (std::int64_t l = x.problem.k - last; l < x.problem.k; ++l)
        missing += x.a(i, l) * x.b(l, j);
      x.put(i, j, x.at(i, j) - missing);
    }
}

void swap_columns(Product& x) {
  const std::int64_t left = x.problem.n / 2;
  for (std::int64_t i = 0; i < x.problem.m; ++i) {
    const double value = x.at(i, left);
    x.put(i, left, x.at(i, left + 1));
    x.put(i, left + 1, value);
  }
}

void unwrite_row(Product& x) {
  for (std::int64_t j = 0; j < x.problem.n; ++j) x.put(x.problem.m - 1, j, std::nan(""));
}

// Ten bits of significand after every addition.
float cut_to_10_bits(float value) {
  const float scale = 0x1p14F + 1;  // Dekker's splitting keeps 24 - 14 bits
  const float high = scale * value;
  return high - (high - value);
}

void accumulate_in_10_bits(Product& x) {
  const Gemm& p = x.problem;
  std::vector<float> a(p.m * p.k), b(p.k * p.n), row(p.n);
  for (std::int64_t i = 0; i < p.m * p.k; ++i) a[i] = static_cast<float>(x.inputs[0].at(i));
  for (std::int64_t i = 0; i < p.k * p.n; ++i) b[i] = static_cast<float>(x.inputs[1].at(i));
  for (std::int64_t i = 0; i < p.m; ++i) {
    std::ranges::fill(row, 0.0F);
    for (std::int64_t l = 0; l < p.k; ++l)
      for (std::int64_t j = 0; j < p.n; ++j)
        row[j] = cut_to_10_bits(row[j] + a[i * p.k + l] * b[l * p.n + j]);
    for (std::int64_t j = 0; j < p.n; ++j) x.put(i, j, row[j]);
  }
}

struct Fault {
  const char* name;
  std::function<void(Product&)> plant;
};

const std::vector<Fault> faults = {{"one element times 1.5", [](Product& x) { scale_one(x, 1.5); }},
                                   {"one sign flipped", [](Product& x) { scale_one(x, -1); }},
                                   {"a 32 x 32 tile zero", [](Product& x) { zero_tile(x, 32); }},
                                   {"a 16 x 16 tile zero", [](Product& x) { zero_tile(x, 16); }},
                                   {"the last k missing", [](Product& x) { leave_out(x, 1); }},
                                   {"the last 16 k missing", [](Product& x) { leave_out(x, 16); }},
                                   {"two columns swapped", swap_columns},
                                   {"a row unwritten", unwrite_row},
                                   {"the accumulator cut to 10 bits", accumulate_in_10_bits}};

// What verification says of a launch that leaves this product.
Verdict judge(const Product& x, const Truth& truth) {
  cpu::CpuDevice device;
  const auto run = cpu::make_run(x.problem, {}, [&](const Arguments& arguments) {
    std::ranges::copy(x.c.data, arguments.get<std::byte>("c"));
  });
  return verify(device, *run, 0, truth);
}

double deviation(const Product& x) {
  return BlockFreivalds(x.problem, x.inputs).worst_deviation(x.c);
}

TEST_CASE("within the element bound all nine faults are found, in every type") {
  const auto [in, out] = GENERATE(table<DType, DType>(
      {{DType::bf16, DType::bf16}, {DType::f16, DType::f16}, {DType::f32, DType::f32}}));
  CAPTURE(name(in));
  const Product right(shape(in, out));
  const Truth truth(right.problem, Fill::normal, Inputs{}.seed, Encoding::ocp);
  CHECK(judge(right, truth).ok);
  for (const Fault& fault : faults) {
    CAPTURE(fault.name);
    Product wrong = right;
    fault.plant(wrong);
    const Verdict verdict = judge(wrong, truth);
    CHECK_FALSE(verdict.ok);
    CHECK(verdict.error > 1);
  }
}

TEST_CASE("block Freivalds finds all nine by itself, one element where it is a large one") {
  const auto out = GENERATE(DType::bf16, DType::f16, DType::f32);
  CAPTURE(name(out));
  const Product right(shape(out, out));
  CHECK(deviation(right) < freivalds_limit);
  for (const Fault& fault : faults) {
    CAPTURE(fault.name);
    Product wrong = right;
    fault.plant(wrong);
    CHECK_FALSE(deviation(wrong) <= freivalds_limit);  // NaN is found too
  }
}

TEST_CASE("above the element bound, where elements are sampled, verification finds all nine") {
  const Product right(shape(DType::bf16, DType::bf16, 1024, 1024, 1088));
  const Truth truth(right.problem, Fill::normal, Inputs{}.seed, Encoding::ocp);
  REQUIRE(truth.exact()[0].elements.size() < 5000);  // a sample of the 2^20
  const Verdict verdict = judge(right, truth);
  CHECK(verdict.ok);
  CHECK_THAT(verdict.check, ContainsSubstring("block Freivalds"));
  for (const Fault& fault : faults) {
    CAPTURE(fault.name);
    Product wrong = right;
    fault.plant(wrong);
    CHECK_FALSE(judge(wrong, truth).ok);
  }
}

TEST_CASE("no alarm in 1,000 right products") {
  int alarms = 0;
  double largest_error = 0, largest_deviation = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    const bool wide = seed % 2 == 0;
    const Gemm p = wide ? shape(DType::f32, DType::f32, 64, 96, 160)
                        : shape(DType::bf16, DType::bf16, 64, 96, 160);
    const Product product(p, seed);
    const Truth truth(p, Fill::normal, seed, Encoding::ocp);
    const Verdict verdict = judge(product, truth);
    const double z = deviation(product);
    largest_error = std::max(largest_error, verdict.error);
    largest_deviation = std::max(largest_deviation, z);
    alarms += !verdict.ok || !(z <= freivalds_limit);
  }
  CAPTURE(largest_error, largest_deviation);
  CHECK(alarms == 0);
}

}  // namespace
}  // namespace steelyard
