// SPDX-License-Identifier: Apache-2.0
// Steps of small models on a GPU, against the same steps in fp64. Not of routed experts: attention takes
// 16-bit numbers, and of those that are this close other roundings choose other experts.
#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/step_checks.h"
#include "tests/step_models.h"

using namespace steelyard;

namespace {

StepChecks checks() {
  return {gpu_device(), gpu_backend().kernels};
}

const Transformer model = with_wide_heads(tiny(DType::bf16));

}  // namespace

TEST_CASE("A forward pass on a GPU gives the logits that fp64 gives") {
  for (const Transformer& one :
       {model, with_wide_heads(tiny_gpt(DType::f16)), with_wide_heads(tiny_qwen(DType::bf16))})
    checks().check_forward(of_phase(one, Phase::prefill, 2, 9), "head: logits");
  checks().check_forward(of_phase(model, Phase::decode, 3, 12), "head: logits");
  checks().check_forward(of_phase(model, Phase::score, 2, 9), "head: log-probabilities");
}

// A100 and MI250 multiply no fp8.
TEST_CASE("Narrow weights on a GPU give the logits that fp64 gives with them") {
  for (const DType weights : {DType::fp8_e4m3, DType::int8, DType::int4})
    for (const Transformer& step :
         {of_phase(model, Phase::prefill, 2, 9), of_phase(model, Phase::decode, 3, 12)}) {
      Transformer narrow = step;
      narrow.weights = weights;
      if (checks().takes(narrow))
        checks().check_narrow_forward(step, weights, "head: logits");
      else
        CHECK(weights == DType::fp8_e4m3);
    }
}

TEST_CASE("Decoding on a GPU goes on where its prefill ended") {
  for (const std::int64_t page_size : {0, 4})
    for (const bool fp8_cache : {false, true}) {
      Transformer p = of_phase(model, Phase::decode, 3, 10);
      p.page_size = page_size;
      p.fp8_cache = fp8_cache;
      checks().check_decode(p);
    }
}

TEST_CASE("A decode step replayed as a graph on a GPU leaves what a launched one does") {
  checks().check_graph(of_phase(model, Phase::decode, 3, 10));
}

TEST_CASE("Decoding on a GPU with an fp8 cache gives the logits that fp64 gives") {
  for (const DType type : {DType::bf16, DType::f16})
    for (const std::int64_t page_size : {0, 4}) {
      Transformer p = of_phase(with_wide_heads(tiny(type)), Phase::decode, 3, 12);
      p.page_size = page_size;
      p.fp8_cache = true;
      checks().check_forward(p, "head: logits");
    }
}

TEST_CASE("A training step on a GPU gives the gradients that fp64 gives") {
  for (const Phase phase : {Phase::train, Phase::lora})
    checks().check_gradients(of_phase(model, phase, 2, 9), 0.1);
}
