// SPDX-License-Identifier: Apache-2.0
// The adapter of hipBLASLt against a double of the library, on an emulated device (CUDA's: nothing in
// the adapter is HIP's own).
#include "backends/hip/kernels.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/library_rows.h"

using namespace steelyard;

namespace {

const Kernel &fastest = hip::hipblaslt_kernels()[0], &favourite = hip::hipblaslt_kernels()[1];

Support answer(const Gemm& p) {
  return fastest.supports(p, gpu_device().info());
}

constexpr Gemm bf16 = {.m = 16, .n = 16, .k = 16, .layout = Layout::nt};

}  // namespace

TEST_CASE("Every type and layout is what the oracle says") {
  using enum DType;
  for (const auto& [input, output] : {std::pair{f64, f64},
                                      {f32, f32},
                                      {tf32, f32},
                                      {f16, f16},
                                      {bf16, bf16},
                                      {fp8_e4m3, f32},
                                      {fp8_e4m3, fp8_e4m3},
                                      {fp8_e4m3, bf16}})
    for (const Gemm& p : gemms(input, output)) check_kernel(favourite, p);
  for (const Gemm& p : gemms(bf16, f32)) check_kernel(fastest, p);
}

TEST_CASE("int8 is summed exactly where the library has an algorithm, else refused") {
  for (const Gemm& p : gemms(DType::int8, DType::int32))
    if (p.layout == Layout::nt)
      check_kernel(favourite, p, Fill::integers);
    else
      CHECK(answer(p).reason == "no algorithm for it: NOT_SUPPORTED (7)");
}

TEST_CASE("Rows of A and columns of B have scales of their own in w8a8") {
  check_kernel(favourite, Gemm{.m = 12,
                               .n = 20,
                               .k = 32,
                               .a = DType::fp8_e4m3,
                               .b = DType::fp8_e4m3,
                               .layout = Layout::nt,
                               .scaling = Scaling::w8a8});
}

TEST_CASE("The fastest algorithm that works is chosen, and said") {
  CHECK(fastest.prepare(gpu_device(), bf16, {})->detail() ==
        "hipBLASLt 1.1.2, fastest of 4 (1 failed: the product: EXECUTION_FAILED (5)): solution "
        "1004");
  CHECK(favourite.prepare(gpu_device(), bf16, {})->detail() ==
        "hipBLASLt 1.1.2, first choice: solution 1000");
}
