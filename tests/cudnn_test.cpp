// SPDX-License-Identifier: Apache-2.0
// The adapter of cuDNN against a double that computes its graphs operation by operation, on an emulated
// device.
#include "backends/cuda/kernels.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/library_rows.h"

using namespace steelyard;

namespace {

const Kernel& row() {
  return cuda::cudnn_kernels()[0];
}

Support answer(const Attention& p) {
  return row().supports(p, gpu_device().info());
}

}  // namespace

TEST_CASE("The forward graph is attention, with the logarithms of its sums") {
  for (const DType type : {DType::bf16, DType::f16})
    for (const Attention& p : attentions(Pass::forward, type)) check_row("cudnn", p);
}

TEST_CASE("The backward graph is the gradient of the forward pass that was done ahead") {
  for (const DType type : {DType::bf16, DType::f16})
    for (const Attention& p : attentions(Pass::backward, type)) check_row("cudnn", p);
}

TEST_CASE("The first engine that can be built is taken, and said") {
  const Attention p = {.heads = 1, .queries = 8, .keys = 8, .head_dim = 16};
  CHECK(row().prepare(gpu_device(), p, {})->detail() ==
        "cuDNN 9.19.0, engine 42, 512 bytes of workspace");
}

TEST_CASE("What the library refuses is refused with its reason") {
  const Attention p = {.heads = 1, .queries = 8, .keys = 8, .head_dim = 16};
  Attention refused = p;
  refused.head_dim = 136;
  CHECK(answer(refused).reason == "finalizing: CUDNN_STATUS_NOT_SUPPORTED_SHAPE (3002)");
  refused = p;
  refused.dtype = DType::f32;
  CHECK(answer(refused).reason == "cuDNN's attention takes bf16 and f16, not f32");
  refused = p;
  refused.pass = Pass::decode;
  CHECK(answer(refused).answer == Support::no);
  CHECK(row().supports(Memory{}, gpu_device().info()).answer == Support::foreign);
}
