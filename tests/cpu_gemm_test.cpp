// SPDX-License-Identifier: Apache-2.0
// Every GEMM row of the CPU against a triple loop in double: exact on whole numbers, within the
// rounding errors of its formats on normal ones.
#include "backends/cpu/gemm.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "backends/cpu/kernels.h"
#include "tests/catch.h"

using namespace steelyard;
using cpu::InstructionSet;

namespace {

struct Size {
  std::int64_t m, n, k;
};

// One of everything, sides that no block divides, one panel exactly, more than one tile and slab.
constexpr Size sizes[] = {{1, 1, 1},      {1, 70, 33},   {5, 7, 3},      {13, 33, 257}, {12, 32, 8},
                          {16, 50, 1100}, {64, 96, 128}, {37, 530, 300}, {500, 9, 521}};

struct Types {
  DType input, output;
};
constexpr Types types[] = {{DType::f32, DType::f32},   {DType::f64, DType::f64},
                           {DType::bf16, DType::bf16}, {DType::bf16, DType::f32},
                           {DType::f16, DType::f16},   {DType::f16, DType::f32},
                           {DType::int8, DType::int32}};

// Rows to test: what prepares them and what can refuse them.
struct Row {
  std::string name;
  std::function<Support(const Gemm&)> supports;
  std::function<std::unique_ptr<Run>(const Gemm&, const Inputs&)> prepare;
};

cpu::CpuDevice& device() {
  static cpu::CpuDevice opened;
  return opened;
}

Row row(std::string name, const Kernel& kernel) {
  return {std::move(name), [&](const Gemm& p) { return kernel.supports(p, device().info()); },
          [&](const Gemm& p, const Inputs& inputs) { return kernel.prepare(device(), p, inputs); }};
}

// A portable kernel with the code of one instruction set.
Row row(const Kernel& kernel, decltype(cpu::prepare_packed_gemm)& prepare, InstructionSet set) {
  Row result = row(fmt::format("{} {}", kernel.name, name(set)), kernel);
  result.prepare = [&prepare, set](const Gemm& p, const Inputs& inputs) {
    return prepare(set, device(), p, inputs);
  };
  return result;
}

std::vector<Row> all_rows() {
  std::vector<Row> all;
  for (const auto table : {cpu::gemm_kernels(), cpu::streamed_gemm_kernels(), cpu::onednn_kernels(),
                           cpu::openblas_kernels()})
    for (const Kernel& kernel : table) all.push_back(row(std::string(kernel.name), kernel));
  using enum InstructionSet;
  for (const InstructionSet set : {baseline, v3, v4, v4_dot}) {
    if (!can_run(set)) continue;
    all.push_back(row(cpu::gemm_kernels()[0], cpu::prepare_packed_gemm, set));
    all.push_back(row(cpu::streamed_gemm_kernels()[0], cpu::prepare_streamed_gemm, set));
  }
  return all;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = all_rows();
  return all;
}

// C and |alpha| |A||B| + |beta C|, by definition.
struct Truth {
  std::vector<double> values, magnitudes;
};

Truth multiply(const Gemm& p, const std::vector<HostTensor>& inputs) {
  const std::vector<double> a = inputs[0].values(), b = inputs[1].values();
  const std::vector<double> c =
      p.beta != 0 ? inputs[2].values() : std::vector<double>(static_cast<std::size_t>(p.m * p.n));
  Truth truth;
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = 0, magnitude = 0;
      for (std::int64_t l = 0; l < p.k; ++l) {
        const auto at_a =
            static_cast<std::size_t>(p.layout == Layout::tn ? l * p.m + i : i * p.k + l);
        const auto at_b =
            static_cast<std::size_t>(p.layout == Layout::nt ? j * p.k + l : l * p.n + j);
        sum += a[at_a] * b[at_b];
        magnitude += std::abs(a[at_a] * b[at_b]);
      }
      const double before = p.beta * c[static_cast<std::size_t>(i * p.n + j)];
      truth.values.push_back(p.alpha * sum + before);
      truth.magnitudes.push_back(std::abs(p.alpha) * magnitude + std::abs(before));
    }
  return truth;
}

double accumulator_roundoff(const Gemm& p) {
  if (p.c == DType::int32) return 0;
  return unit_roundoff(p.a == DType::f64 ? DType::f64 : DType::f32);
}

// The first element of C out of bounds, in words; empty when all are within.
std::string mistake(const Gemm& p, const HostTensor& c, const Truth& truth,
                    double allowed_roundings) {
  const double in_sum = allowed_roundings * accumulator_roundoff(p);
  for (std::size_t i = 0; i < truth.values.size(); ++i) {
    const double expected = truth.values[i], got = c.at(static_cast<std::int64_t>(i));
    const double bound = unit_roundoff(p.c) * std::abs(expected) + in_sum * truth.magnitudes[i];
    if (!(std::abs(got - expected) <= bound * 1.01))
      return fmt::format("{} element {}: {} instead of {}", id(p), i, got, expected);
  }
  return {};
}

// What is wrong with a row's result, empty when nothing is.
std::string verify(const Row& row, const Gemm& p, Fill fill, const Truth& truth) {
  const auto run = row.prepare(p, {.fill = fill, .guard_bytes = 256});
  run->reset(0);
  run->launch(0);
  if (const std::string damage = run->damage(0); !damage.empty()) return id(p) + ": " + damage;
  const HostTensor c = device().read(run->outputs(0)[0]);
  if (fill == Fill::normal) return mistake(p, c, truth, 4 * std::sqrt(static_cast<double>(p.k)));
  const std::vector<double> got = c.values();  // whole numbers: exact until the rounding into C
  for (std::size_t i = 0; i < got.size(); ++i)
    if (const double rounded = round_to(p.c, truth.values[i]); got[i] != rounded)
      return fmt::format("{} element {}: {} instead of {}", id(p), i, got[i], rounded);
  return {};
}

void check_all_rows(const Gemm& p, Fill fill) {
  const Truth truth = multiply(p, make_inputs(p, fill, 42));
  for (const Row& row : rows()) {
    if (row.supports(p).answer != Support::yes) continue;
    INFO(row.name << ", " << name(fill));
    CHECK(verify(row, p, fill, truth) == "");
  }
}

}  // namespace

TEST_CASE("Every row of every instruction set agrees with the definition") {
  for (const auto [input, output] : types)
    for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
      for (const Size size : sizes)
        for (const Fill fill : {Fill::integers, Fill::normal})
          check_all_rows({.m = size.m,
                          .n = size.n,
                          .k = size.k,
                          .a = input,
                          .b = input,
                          .c = output,
                          .layout = layout},
                         fill);
}

TEST_CASE("alpha and beta scale the product and what C held") {
  for (const auto [input, output] : types)
    for (const auto& [alpha, beta] : {std::pair{2., 0.}, {1., 1.}, {-0.5, 0.25}, {0., 3.}}) {
      const Gemm p = {.m = 29,
                      .n = 43,
                      .k = 300,
                      .a = input,
                      .b = input,
                      .c = output,
                      .layout = Layout::nt,
                      .alpha = alpha,
                      .beta = beta};
      check_all_rows(p, Fill::integers);
      if (!is_integer(output)) check_all_rows(p, Fill::normal);
    }
}

TEST_CASE("The sums of int8 over its whole range are exact") {
  check_all_rows(
      {.m = 9, .n = 40, .k = 1000, .a = DType::int8, .b = DType::int8, .c = DType::int32},
      Fill::uniform);
}

TEST_CASE(
    "The portable kernel takes every type and layout it lists and refuses others with a reason") {
  const auto answer = [](const Gemm& p) {
    return cpu::gemm_kernels().front().supports(p, device().info());
  };
  for (const auto [input, output] : types)
    CHECK(answer({.m = 1, .n = 1, .k = 1, .a = input, .b = input, .c = output}).answer ==
          Support::yes);
  const Support fp8 = answer({.m = 1, .n = 1, .k = 1, .a = DType::fp8_e4m3, .b = DType::fp8_e4m3});
  CHECK(fp8.answer == Support::no);
  CHECK(fp8.reason == "the portable CPU kernel does not multiply fp8_e4m3 by fp8_e4m3 into bf16");
  CHECK(answer({.m = 4, .n = 1, .k = 1, .groups = 2}).answer == Support::no);
  CHECK(cpu::gemm_kernels().front().supports(Memory{}, device().info()).answer == Support::foreign);
}

TEST_CASE("Weights are streamed for few rows of A and a transposed B, and make no row elsewhere") {
  const auto answer = [](const Gemm& p) {
    return cpu::streamed_gemm_kernels().front().supports(p, device().info());
  };
  CHECK(answer({.m = 16, .n = 1, .k = 1, .layout = Layout::nt}).answer == Support::yes);
  CHECK(answer({.m = 17, .n = 1, .k = 1, .layout = Layout::nt}).answer == Support::foreign);
  CHECK(answer({.m = 1, .n = 1, .k = 1}).answer == Support::foreign);
  CHECK(answer({.m = 1, .n = 1, .k = 1, .a = DType::f16, .b = DType::f16, .layout = Layout::nt})
            .answer == Support::no);
}

TEST_CASE("A library row names the library and its version, or why it is missing") {
  const Gemm p = {.m = 8, .n = 8, .k = 8, .a = DType::f32, .b = DType::f32, .c = DType::f32};
  for (const auto table : {cpu::onednn_kernels(), cpu::openblas_kernels()})
    for (const Kernel& row : table) {
      const Support support = row.supports(p, device().info());
      if (support.answer == Support::yes)
        CHECK_THAT(row.prepare(device(), p, {})->detail(),
                   ContainsSubstring("oneDNN") || ContainsSubstring("OpenBLAS"));
      else
        CHECK_THAT(support.reason, ContainsSubstring("install"));
    }
}
