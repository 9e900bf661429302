// SPDX-License-Identifier: Apache-2.0
// The adapter of hipDNN against a double of the library, on an emulated device (CUDA's: nothing in the
// adapter is HIP's own).
#include "backends/hip/kernels.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/library_rows.h"

using namespace steelyard;

namespace {

const Kernel& row = hip::hipdnn_kernels()[0];

Support answer(const Attention& p) {
  return row.supports(p, gpu_device().info());
}

constexpr Attention small = {.heads = 1, .queries = 8, .keys = 8, .head_dim = 16};

}  // namespace

TEST_CASE("Both passes are what the oracle says") {
  for (const Pass pass : {Pass::forward, Pass::backward})
    for (const DType type : {DType::bf16, DType::f16})
      for (const Attention& p : attentions(pass, type)) check_kernel(row, p);
}

TEST_CASE("The library's version and its engine are said") {
  CHECK(row.prepare(gpu_device(), small, {})->detail() ==
        "hipDNN 0.9.0.double, engine 5, 256 bytes of workspace");
}

TEST_CASE("What the library has no engine for is refused with the reason") {
  Attention refused = small;
  refused.head_dim = 256;
  CHECK(answer(refused).reason == "hipDNN 0.9.0.double has no engine for it");
  refused.pass = Pass::backward;
  CHECK(answer(refused).answer == Support::no);
  refused = small;
  refused.dtype = DType::f32;
  CHECK(answer(refused).reason == "hipDNN's attention takes bf16 and f16, not f32");
  refused = small;
  refused.pass = Pass::decode;
  CHECK(answer(refused).answer == Support::no);
}
