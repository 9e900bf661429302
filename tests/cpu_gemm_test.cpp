// SPDX-License-Identifier: Apache-2.0
// Every GEMM row of the CPU against the oracle: exact on whole numbers, within the rounding errors
// of its formats on normal ones.
#include "backends/cpu/gemm.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "backends/cpu/kernels.h"
#include "backends/oracle.h"
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
constexpr Types types[] = {
    {DType::f32, DType::f32},    {DType::f64, DType::f64},       {DType::bf16, DType::bf16},
    {DType::bf16, DType::f32},   {DType::f16, DType::f16},       {DType::f16, DType::f32},
    {DType::int8, DType::int32}, {DType::fp8_e4m3, DType::bf16}, {DType::fp8_e4m3, DType::f32}};

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

double accumulator_roundoff(const Gemm& p) {
  if (is_integer(p.c)) return 0;
  return unit_roundoff(p.a == DType::f64 ? DType::f64 : DType::f32);
}

// The first element of C out of bounds, in words; empty when all are within.
std::string mistake(const Gemm& p, const HostTensor& c, const Expected& truth,
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
std::string verify(const Row& row, const Gemm& p, Fill fill, const Expected& truth) {
  const auto run = row.prepare(p, {.fill = fill, .guard_bytes = 256});
  run->reset(0);
  run->launch(0);
  if (const std::string damage = run->damage(0); !damage.empty()) return id(p) + ": " + damage;
  const HostTensor c = device().read(run->outputs(0)[0]);
  if (fill != Fill::integers && !is_integer(p.c))
    return mistake(p, c, truth, 4 * std::sqrt(static_cast<double>(p.k)));
  const std::vector<double> got = c.values();  // whole numbers: exact until the rounding into C
  for (std::size_t i = 0; i < got.size(); ++i)
    if (const double rounded = round_to(p.c, truth.values[i]); got[i] != rounded)
      return fmt::format("{} element {}: {} instead of {}", id(p), i, got[i], rounded);
  return {};
}

void check_all_rows(const Gemm& p, Fill fill) {
  const Expected truth = reference(p, make_inputs(p, fill, 42)).front();
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

TEST_CASE("Rows of each group meet the group's own B") {
  struct Grouped {
    Size size;
    std::int64_t groups;
  };
  for (const auto& [size, groups] : {Grouped{{7, 20, 33}, 3},
                                     {{2, 9, 40}, 5},  // groups without rows
                                     {{16, 70, 300}, 4},
                                     {{130, 70, 140}, 8},
                                     {{600, 530, 50}, 2}})
    for (const Routing routing : {Routing::uniform, Routing::zipf, Routing::one_hot})
      for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
        for (const DType type : {DType::bf16, DType::f16, DType::f32})
          for (const double beta : {0., 1.})
            check_all_rows({.m = size.m,
                            .n = size.n,
                            .k = size.k,
                            .a = type,
                            .b = type,
                            .c = type,
                            .layout = layout,
                            .beta = beta,
                            .groups = groups,
                            .routing = routing},
                           Fill::integers);
}

// alpha keeps sums of int8 in the range of f16.
TEST_CASE("Scales of rows and columns apply to 8-bit products") {
  for (const DType input : {DType::int8, DType::fp8_e4m3})
    for (const DType output : {DType::bf16, DType::f16, DType::f32})
      for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
        for (const Size size : sizes)
          for (const Fill fill : {Fill::integers, Fill::normal})
            check_all_rows({.m = size.m,
                            .n = size.n,
                            .k = size.k,
                            .a = input,
                            .b = input,
                            .c = output,
                            .layout = layout,
                            .alpha = input == DType::int8 ? 0x1p-8 : 1,
                            .scaling = Scaling::w8a8},
                           fill);
}

TEST_CASE("int4 weights have a scale for every column and group along k") {
  for (const DType input : {DType::bf16, DType::f16})
    for (const DType output : {input, DType::f32})
      for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
        for (const Size size : sizes)
          for (const Fill fill : {Fill::integers, Fill::normal, Fill::uniform})
            check_all_rows({.m = size.m,
                            .n = size.n,
                            .k = size.k,
                            .a = input,
                            .b = DType::int4,
                            .c = output,
                            .layout = layout,
                            .scaling = Scaling::w4a16},
                           fill);
}

TEST_CASE("Groups may have scales, and start inside a byte") {
  for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
    for (const std::int64_t m : {9, 50})
      for (const auto& [n, k] : {std::pair{33, 131}, {40, 256}}) {
        Gemm p = {.m = m, .n = n, .k = k, .layout = layout, .groups = 3, .routing = Routing::zipf};
        p.b = DType::int4;
        p.scaling = Scaling::w4a16;
        check_all_rows(p, Fill::normal);
        p.a = p.b = DType::int8;
        p.scaling = Scaling::w8a8;
        check_all_rows(p, Fill::normal);
      }
}

TEST_CASE("Every code of fp8 is the number that it stands for, NaN among them") {
  std::vector<std::byte> codes(256);
  for (int i = 0; i < 256; ++i) codes[static_cast<std::size_t>(i)] = static_cast<std::byte>(i);
  for (const Layout layout : {Layout::nn, Layout::nt}) {
    const Gemm p = {.m = 1,
                    .n = 256,
                    .k = 1,
                    .a = DType::fp8_e4m3,
                    .b = DType::fp8_e4m3,
                    .c = DType::f32,
                    .layout = layout};
    for (const Row& row : rows()) {
      if (row.supports(p).answer != Support::yes) continue;
      INFO(row.name);
      const auto run =
          row.prepare(p, {.fill = Fill::ones, .bound = {{operands(p)[1], codes.data()}}});
      run->launch(0);
      const HostTensor c = device().read(run->outputs(0)[0]);
      for (std::uint64_t code = 0; code < 256; ++code) {
        const double right = decode(DType::fp8_e4m3, code), got = c.at(code);
        CHECK((got == right || (std::isnan(got) && std::isnan(right))));
      }
    }
  }
}

TEST_CASE(
    "The portable kernel takes every type and layout it lists and refuses others with a reason") {
  const auto answer = [](const Gemm& p) {
    return cpu::gemm_kernels().front().supports(p, device().info());
  };
  for (const auto [input, output] : types)
    CHECK(answer({.m = 1, .n = 1, .k = 1, .a = input, .b = input, .c = output}).answer ==
          Support::yes);
  const Support fp8 = answer({.m = 1, .n = 1, .k = 1, .a = DType::fp8_e5m2, .b = DType::fp8_e5m2});
  CHECK(fp8.answer == Support::no);
  CHECK(fp8.reason == "the portable CPU kernel does not multiply fp8_e5m2 by fp8_e5m2 into bf16");
  const Gemm mixed = {.m = 1, .n = 1, .k = 1, .b = DType::int4};
  CHECK(answer(mixed).answer == Support::no);
  Gemm scaled = mixed;
  scaled.scaling = Scaling::w4a16;
  CHECK(answer(scaled).answer == Support::yes);
  scaled.c = DType::int32;
  CHECK(answer(scaled).reason ==
        "the portable CPU kernel does not multiply bf16 by int4 into int32 with scales");
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
  Gemm scaled = {.m = 1, .n = 1, .k = 3, .b = DType::int4, .layout = Layout::nt};
  scaled.scaling = Scaling::w4a16;
  CHECK(answer(scaled).reason == "with k=3 columns of int4 start inside a byte");
  scaled.k = 4;
  CHECK(answer(scaled).answer == Support::yes);
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
