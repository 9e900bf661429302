// SPDX-License-Identifier: Apache-2.0
// The adapter of cuBLASLt against a double of the library, on an emulated device.
#include "backends/cuda/cublaslt_api.h"
#include "backends/cuda/kernels.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/library_rows.h"

using namespace steelyard;

namespace {

constexpr const char* library = "libcublasLt.so.13";

const Kernel& row(std::string_view name) {
  for (const Kernel& kernel : cuda::cublaslt_kernels())
    if (kernel.name == name) return kernel;
  throw std::out_of_range("no such row");
}

Support answer(const Gemm& p) {
  return row("cublaslt").supports(p, gpu_device().info());
}

std::string detail(std::string_view name, const Problem& problem) {
  return row(name).prepare(gpu_device(), problem, {})->detail();
}

int launches(int algorithm) {
  return function_of<int(int)>(library, "steelyard_double_launches")(algorithm);
}

constexpr Gemm bf16 = {.m = 16, .n = 16, .k = 16, .layout = Layout::nt};

}  // namespace

TEST_CASE("Every type and layout is what the oracle says") {
  using enum DType;
  for (const auto& [input, output] :
       {std::pair{f64, f64}, {f32, f32}, {tf32, f32}, {f16, f16}, {bf16, bf16}, {bf16, f32}})
    for (const Gemm& p : gemms(input, output)) {
      check_row("cublaslt-default", p);
      if (input == bf16 && output == bf16) check_row("cublaslt", p);
    }
}

TEST_CASE("A product of tf32 is f32") {
  CHECK(answer({.m = 8, .n = 8, .k = 8, .a = DType::tf32, .b = DType::tf32, .c = DType::tf32})
            .reason == "cuBLASLt returns f32 from tf32");
}

TEST_CASE("int8 is summed exactly in the one layout that there is") {
  for (const Gemm& p : gemms(DType::int8, DType::int32))
    if (p.layout == Layout::nt)
      check_row("cublaslt-default", p, Fill::integers);
    else
      CHECK(answer(p).reason == "no algorithm for it: CUBLAS_STATUS_NOT_SUPPORTED (15)");
}

TEST_CASE("fp8 is multiplied in layout nt only on Hopper") {
  for (const DType output : {DType::bf16, DType::f32, DType::fp8_e4m3})
    for (const Gemm& p : gemms(DType::fp8_e4m3, output))
      if (p.layout != Layout::nt)
        CHECK_THAT(answer(p).reason, ContainsSubstring("fp8 in layout nt only"));
      else if (output == DType::fp8_e4m3 && p.beta != 0)
        CHECK(answer(p).reason == "cuBLASLt adds no C of 8 bits");
      else
        check_row("cublaslt-default", p);
}

TEST_CASE("Rows of A and columns of B have scales of their own in w8a8") {
  Gemm p = {.m = 12,
            .n = 20,
            .k = 32,
            .a = DType::fp8_e4m3,
            .b = DType::fp8_e4m3,
            .layout = Layout::nt,
            .scaling = Scaling::w8a8};
  check_row("cublaslt", p);
  p.a = p.b = DType::int8;
  CHECK(answer(p).reason == "cuBLASLt scales rows and columns of fp8 only");
}

TEST_CASE("What the library has no product for is refused with the reason") {
  CHECK(answer({.m = 8, .n = 8, .k = 8, .groups = 2}).reason ==
        "cuBLASLt has no grouped GEMM here");
  CHECK(answer({.m = 8, .n = 8, .k = 8, .b = DType::int4, .scaling = Scaling::w4a16}).answer ==
        Support::no);
  CHECK(answer({.m = 8, .n = 8, .k = 8, .a = DType::int4, .b = DType::int4}).reason ==
        "cuBLASLt 13.1.0 has no int4");
  Gemm halved = {.m = 8,
                 .n = 8,
                 .k = 8,
                 .a = DType::int8,
                 .b = DType::int8,
                 .c = DType::int32,
                 .layout = Layout::nt,
                 .alpha = 0.5};
  CHECK(answer(halved).reason == "cuBLASLt scales int32 by whole numbers only");
  CHECK(row("cublaslt").supports(Memory{}, gpu_device().info()).answer == Support::foreign);
}

TEST_CASE("The fastest algorithm that works is chosen, and said") {
  // Of the six that are offered one is for other problems and one wants too much workspace.
  CHECK(detail("cublaslt", bf16) ==
        "cuBLASLt 13.1.0, fastest of 4 (1 failed: the product: CUBLAS_STATUS_EXECUTION_FAILED "
        "(13)): algorithm 4, tile 20, stages 1, split-K 1");
  CHECK(detail("cublaslt-default", bf16) ==
        "cuBLASLt 13.1.0, first choice: algorithm 0, tile 20, stages 1, split-K 1");
}

TEST_CASE("A launch is the chosen algorithm's") {
  const auto fastest = row("cublaslt").prepare(gpu_device(), bf16, {});
  const auto favourite = row("cublaslt-default").prepare(gpu_device(), bf16, {});
  const int before[] = {launches(0), launches(4)};
  fastest->launch(0);
  CHECK(launches(4) == before[1] + 1);
  favourite->launch(0);
  CHECK(launches(0) == before[0] + 1);
}

TEST_CASE("Where no algorithm works there is no Run, and the reason") {
  const auto fail = function_of<void(bool)>(library, "steelyard_double_fail_all");
  fail(true);
  CHECK_THROWS_WITH(row("cublaslt").prepare(gpu_device(), bf16, {}),
                    ContainsSubstring("every algorithm failed") &&
                        ContainsSubstring("CUBLAS_STATUS_EXECUTION_FAILED"));
  fail(false);
}

TEST_CASE("A library that lacks a function is refused with its name", "[.][lacking]") {
  CHECK_THAT(answer(bf16).reason, ContainsSubstring("cublasLtMatmul"));
}

TEST_CASE("A bound C that is added to is not touched before the first launch") {
  Gemm p = bf16;
  p.beta = 1;
  const auto owner = row("cublaslt-default").prepare(gpu_device(), p, {});
  const Inputs inputs = {.bound = {owner->outputs(0)[0]}};
  CHECK_THAT(row("cublaslt").prepare(gpu_device(), p, inputs)->detail(),
             ContainsSubstring("first choice"));
}
