// SPDX-License-Identifier: Apache-2.0
// The adapter of rocBLAS against a double of the library, on an emulated device (CUDA's: nothing in the
// adapter is HIP's own).
#include "backends/hip/kernels.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/library_rows.h"

using namespace steelyard;

namespace {

const Kernel& row = hip::rocblas_kernels()[0];

Support answer(const Gemm& p, const std::string& architecture = "gfx942") {
  DeviceInfo info = gpu_device().info();
  info.architecture = architecture;
  return row.supports(p, info);
}

}  // namespace

TEST_CASE("Every type and layout is what the oracle says") {
  using enum DType;
  for (const auto& [input, output] :
       {std::pair{f64, f64}, {f32, f32}, {f16, f16}, {f16, f32}, {bf16, bf16}, {bf16, f32}})
    for (const Gemm& p : gemms(input, output)) check_kernel(row, p);
  for (const Gemm& p : gemms(int8, int32)) check_kernel(row, p, Fill::integers);
}

TEST_CASE("What rocBLAS has no product for is refused with the reason") {
  using enum DType;
  CHECK(answer({.m = 8, .n = 8, .k = 8, .a = fp8_e4m3, .b = fp8_e4m3}).reason ==
        "rocBLAS does not multiply fp8_e4m3 by fp8_e4m3 into bf16");
  CHECK(answer({.m = 8, .n = 8, .k = 8, .a = f32, .b = f32, .c = bf16}).answer == Support::no);
  CHECK(answer({.m = 8, .n = 8, .k = 8, .groups = 2}).reason ==
        "rocBLAS has neither grouped nor scaled GEMM");
  const Gemm tf32_gemm = {.m = 8, .n = 8, .k = 8, .a = tf32, .b = tf32, .c = f32};
  CHECK(answer(tf32_gemm).answer == Support::yes);
  CHECK(answer(tf32_gemm, "gfx90a").reason == "gfx90a has no tf32 units");
  const std::int64_t large = std::int64_t{1} << 31;
  CHECK(answer({.m = large, .n = 8, .k = 8}).reason == "rocblas_gemm_ex counts in 32 bits");
}

TEST_CASE("A Run names the library's version and gives its handle back") {
  const auto living = [] {
    return function_of<int()>("librocblas.so.5", "steelyard_double_living_handles")();
  };
  {
    const auto run = row.prepare(gpu_device(), Gemm{.m = 8, .n = 8, .k = 8}, {});
    CHECK(run->detail() == "rocBLAS 5.0.2.double");
    CHECK(living() == 1);
  }
  CHECK(living() == 0);
}
