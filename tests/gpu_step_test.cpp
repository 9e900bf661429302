// SPDX-License-Identifier: Apache-2.0
// Steps of small models on a GPU, against the same steps in fp64.
#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/step_checks.h"
#include "tests/step_models.h"

using namespace steelyard;

namespace {

StepChecks checks() {
  return {gpu_device(), gpu_backend().kernels};
}

}  // namespace

TEST_CASE("A forward pass on a GPU gives the logits that fp64 gives") {
  for (const Transformer& model : {tiny(DType::bf16), tiny_gpt(DType::f16), tiny_qwen(DType::f32)})
    checks().check_forward(of_phase(model, Phase::prefill, 2, 9), "head: logits");
  checks().check_forward(of_phase(tiny(DType::bf16), Phase::decode, 3, 12), "head: logits");
  checks().check_forward(of_phase(tiny(DType::bf16), Phase::score, 2, 9),
                         "head: log-probabilities");
  checks().check_forward(of_phase(tiny_experts(DType::f32), Phase::prefill, 2, 9), "head: logits");
}

TEST_CASE("Decoding on a GPU goes on where its prefill ended") {
  for (const std::int64_t page_size : {0, 4})
    checks().check_decode(tiny(DType::bf16), 3, 10, page_size);
}

TEST_CASE("A training step on a GPU gives the gradients that fp64 gives") {
  checks().check_gradients(of_phase(tiny(DType::f32), Phase::train, 2, 9), 1e-4);
}
