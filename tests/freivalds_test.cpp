// SPDX-License-Identifier: Apache-2.0
#include "bench/freivalds.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "tests/catch.h"

namespace steelyard {
namespace {

struct Product {
  Gemm problem;
  std::vector<HostTensor> inputs;
  HostTensor c;
  std::vector<std::int64_t> offsets = group_offsets(problem);

  const HostTensor& input(std::string_view name) const {
    return *std::ranges::find(inputs, name, [](auto& t) { return t.operand.name; });
  }
  double a(std::int64_t i, std::int64_t l) const {
    const double value =
        inputs[0].at(problem.layout == Layout::tn ? l * problem.m + i : i * problem.k + l);
    return problem.scaling == Scaling::w8a8 ? value * input("a_scale").at(i) : value;
  }
  double b(std::int64_t i, std::int64_t l, std::int64_t j) const {  // as row i of A meets it
    const std::int64_t group = std::ranges::upper_bound(offsets, i) - offsets.begin() - 1;
    const double value =
        inputs[1].at(group * problem.k * problem.n +
                     (problem.layout == Layout::nt ? j * problem.k + l : l * problem.n + j));
    if (problem.scaling == Scaling::w8a8) return value * input("b_scale").at(j);
    if (problem.scaling == Scaling::w4a16)
      return value * input("b_scale").at(l / scale_group * problem.n + j);
    return value;
  }
  double at(std::int64_t i, std::int64_t j) const { return c.at(i * problem.n + j); }
  void put(std::int64_t i, std::int64_t j, double value) {
    store(problem.c, c.data.data(), i * problem.n + j, value);
  }
};

// Accumulated in f32 one product after the other where the inputs are floats, as a plain kernel
// does.
double element(const Product& x, std::int64_t i, std::int64_t j, std::int64_t k) {
  float sum = 0;
  double exact = 0;
  for (std::int64_t l = 0; l < k; ++l) {
    sum += static_cast<float>(x.a(i, l) * x.b(i, l, j));
    exact += x.a(i, l) * x.b(i, l, j);
  }
  const double before =
      x.problem.beta == 0 ? 0 : x.problem.beta * x.inputs.back().at(i * x.problem.n + j);
  const bool wide = is_integer(x.problem.a) || x.problem.a == DType::f64;
  return x.problem.alpha * (wide ? exact : static_cast<double>(sum)) + before;
}

Product multiply(Gemm p) {
  Product x = {.problem = p, .inputs = make_inputs(p, Fill::normal, 7)};
  x.c.operand = {"c", p.c, {p.m, p.n}};
  x.c.data = HostBytes(bytes(x.c.operand));
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) x.put(i, j, element(x, i, j, p.k));
  return x;
}

double deviation(const Product& x) {
  return BlockFreivalds(x.problem, x.inputs).worst_deviation(x.c);
}

Gemm shape(DType in, DType out, Layout layout = Layout::nn) {
  return {.m = 96, .n = 150, .k = 200, .a = in, .b = in, .c = out, .layout = layout};
}

TEST_CASE("a correct product passes in every type, layout and scaling by alpha and beta") {
  const auto layout = GENERATE(Layout::nn, Layout::nt, Layout::tn);
  const auto types =
      GENERATE(std::pair(DType::f32, DType::f32), std::pair(DType::bf16, DType::bf16),
               std::pair(DType::f16, DType::f32), std::pair(DType::f64, DType::f64),
               std::pair(DType::int8, DType::int32));
  Gemm p = shape(types.first, types.second, layout);
  CHECK(deviation(multiply(p)) < freivalds_limit);
  if (p.c == DType::int32) return;
  p.alpha = 0.5, p.beta = -2;
  CHECK(deviation(multiply(p)) < freivalds_limit);
}

TEST_CASE("a correct product of groups or with scales passes, and one with another's does not") {
  const auto layout = GENERATE(Layout::nn, Layout::nt, Layout::tn);
  Gemm grouped = shape(DType::bf16, DType::bf16, layout);
  grouped.groups = 3;
  grouped.routing = Routing::zipf;
  grouped.beta = 1;
  Gemm w8a8 = shape(DType::int8, DType::bf16, layout);
  w8a8.scaling = Scaling::w8a8;
  Gemm w4a16 = shape(DType::bf16, DType::f32, layout);
  w4a16.b = DType::int4;
  w4a16.scaling = Scaling::w4a16;
  for (const Gemm& p : {grouped, w8a8, w4a16}) CHECK(deviation(multiply(p)) < freivalds_limit);

  Product x = multiply(grouped);
  const std::int64_t row = group_offsets(grouped)[1];  // a row of the second group meets the first
  for (std::int64_t j = 0; j < grouped.n; ++j) {
    double value = grouped.beta * x.inputs.back().at(row * grouped.n + j);
    for (std::int64_t l = 0; l < grouped.k; ++l) value += x.a(row, l) * x.b(0, l, j);
    x.put(row, j, value);
  }
  CHECK(deviation(x) > freivalds_limit);

  x = multiply(w4a16);
  for (std::int64_t i = 0; i < w4a16.m; ++i) x.put(i, 7, x.at(i, 7) * 1.001);  // a column's scale
  CHECK(deviation(x) > freivalds_limit);
}

// Faults that a comparison by norm lets through.
struct Fault {
  const char* name;
  std::function<void(Product&)> plant;
};

const std::vector<Fault> faults = {
    {"two columns swapped",
     [](Product& x) {
       for (std::int64_t i = 0; i < x.problem.m; ++i) {
         const double left = x.at(i, 70);
         x.put(i, 70, x.at(i, 71));
         x.put(i, 71, left);
       }
     }},
    {"the last k missing",
     [](Product& x) {
       for (std::int64_t i = 0; i < x.problem.m; ++i)
         for (std::int64_t j = 0; j < x.problem.n; ++j)
           x.put(i, j, element(x, i, j, x.problem.k - 1));
     }},
    {"a tile of 16 by 16 left zero",
     [](Product& x) {
       for (std::int64_t i = 32; i < 48; ++i)
         for (std::int64_t j = 64; j < 80; ++j) x.put(i, j, 0);
     }},
    {"the sign of one large element",
     [](Product& x) {
       std::int64_t largest = 0;
       for (std::int64_t j = 0; j < x.problem.n; ++j)
         if (std::abs(x.at(5, j)) > std::abs(x.at(5, largest))) largest = j;
       x.put(5, largest, -x.at(5, largest));
     }},
    {"a row never written",
     [](Product& x) {
       for (std::int64_t j = 0; j < x.problem.n; ++j) x.put(95, j, std::nan(""));
     }},
};

TEST_CASE("faults that norms let through are far outside") {
  const auto types =
      GENERATE(std::pair(DType::f32, DType::f32), std::pair(DType::bf16, DType::bf16),
               std::pair(DType::f16, DType::f16));
  for (const Fault& fault : faults) {
    CAPTURE(fault.name);
    Product x = multiply(shape(types.first, types.second));
    fault.plant(x);
    CHECK(deviation(x) > freivalds_limit);
  }
}

TEST_CASE("one integer off by one is found") {
  Product x = multiply(shape(DType::int8, DType::int32));
  x.put(50, 80, x.at(50, 80) + 1);
  CHECK(deviation(x) > freivalds_limit);
}

}  // namespace
}  // namespace steelyard
