// SPDX-License-Identifier: Apache-2.0
// Steps on the CPU: chains of its kernels against the same step in fp64.
#include "bench/sequence.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <string>

#include "bench/models.h"
#include "catch.h"
#include "step_checks.h"
#include "step_models.h"
#include "step_oracle.h"

using namespace steelyard;

namespace {

Device& device() {
  static const auto all = backends().front().open();
  return *all.devices.front();
}

StepChecks checks() {
  return {device(), backends().front().kernels};
}

}  // namespace

TEST_CASE("A forward pass gives the logits that fp64 gives") {
  for (const DType type : {DType::f32, DType::bf16, DType::f16})
    for (const Transformer& model : {tiny(type), tiny_gpt(type), tiny_qwen(type)}) {
      checks().check_forward(of_phase(model, Phase::prefill, 2, 9), "head: logits");
      checks().check_forward(of_phase(model, Phase::decode, 3, 12), "head: logits");
      checks().check_forward(of_phase(model, Phase::score, 2, 9), "head: log-probabilities");
    }
  const Transformer experts = tiny_experts(DType::f32);
  checks().check_forward(of_phase(experts, Phase::prefill, 2, 9), "head: logits");
  checks().check_forward(of_phase(experts, Phase::decode, 3, 12), "head: logits");
}

TEST_CASE("Narrow weights give the logits that fp64 gives with them") {
  for (const Transformer& model : {tiny(DType::bf16), tiny_gpt(DType::bf16)})
    for (const DType weights : {DType::fp8_e4m3, DType::int8, DType::int4}) {
      checks().check_narrow_forward(of_phase(model, Phase::prefill, 2, 9), weights, "head: logits");
      checks().check_narrow_forward(of_phase(model, Phase::decode, 3, 12), weights, "head: logits");
    }
}

TEST_CASE("The model `tiny` that users run gives the logits that fp64 gives") {
  Transformer model = find_model("tiny").shape;
  model.layers = model.blocks;
  checks().check_forward(of_phase(model, Phase::prefill, 2, 9), "head: logits");
  checks().check_forward(of_phase(model, Phase::decode, 3, 12), "head: logits");
}

TEST_CASE("Decoding the last token of a prompt gives the logits of its prefill, and its token") {
  int decided = 0;
  for (const Transformer& model : {tiny(DType::f32), tiny_qwen(DType::bf16), tiny_gpt(DType::bf16)})
    for (const std::int64_t page_size : {0, 1, 4})
      for (const bool fp8_cache : {false, true}) {
        Transformer p = of_phase(model, Phase::decode, 8, 10);
        p.page_size = page_size;
        p.fp8_cache = fp8_cache;
        decided += checks().check_decode(p);
      }
  CHECK(decided >= 3 * 6);  // of 3 * 8 of f32 with a wide cache most are, of bf16 some
}

TEST_CASE(
    "Decoding with an fp8 cache gives the logits that fp64 gives, in every layout of the cache") {
  for (const DType type : {DType::f32, DType::bf16, DType::f16})
    for (const Transformer& model : {tiny(type), tiny_gpt(type)})
      for (const std::int64_t page_size : {0, 1, 4}) {
        Transformer p = of_phase(model, Phase::decode, 3, 12);
        p.page_size = page_size;
        p.fp8_cache = true;
        checks().check_forward(p, "head: logits");
      }
}

TEST_CASE("A training step gives the gradients that fp64 gives") {
  for (const Transformer& model : {tiny(DType::f32), tiny_gpt(DType::f32), tiny_qwen(DType::f32)})
    checks().check_gradients(of_phase(model, Phase::train, 2, 9), 1e-4);
}

TEST_CASE("Adapters are trained, and the weights beside them stay") {
  const Transformer p = of_phase(tiny_gpt(DType::f32), Phase::lora, 2, 9);
  checks().check_gradients(p, 1e-4);
  Sequence sequence = checks().prepare(p);
  const auto before = checks().read(sequence, "block 0: q weight"),
             adapter = checks().read(sequence, "block 0: q B weight");
  sequence.launch(0);
  CHECK(checks().read(sequence, "block 0: q weight") == before);
  CHECK(checks().read(sequence, "block 0: q B weight") != adapter);
  int trained = 0;
  for (const Operation& operation : sequence.step().operations)
    trained += operation.name.ends_with("update") ? 1 : 0;
  CHECK(trained == 2 * 2 * 6);  // blocks, A and B, q k v o up down
}

TEST_CASE("The loss falls while a model is trained") {
  for (const Transformer& model : {tiny(DType::bf16), tiny_gpt(DType::bf16)}) {
    Sequence sequence = checks().prepare(of_phase(model, Phase::train, 4, 32));
    std::vector<double> losses;
    for (int i = 0; i < 20; ++i) {
      sequence.launch(0);
      losses.push_back(mean(checks().read(sequence, "head: loss")));
    }
    INFO(model.model << ": from " << losses.front() << " to " << losses.back());
    CHECK(std::ranges::is_sorted(losses, std::greater<>()));
    CHECK(losses.back() < 0.7 * losses.front());
  }
}

TEST_CASE("Thousands of small tensors take few mappings of memory") {
  const auto mappings = [] {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    int count = 0;
    while (std::getline(maps, line)) ++count;
    return count;
  };
  const int before = mappings();
  const Sequence sequence =
      checks().prepare(of_phase(tiny(DType::f32), Phase::decode, 1, 8), false, 64);
  const auto runs = 64 * std::ssize(sequence.step().operations);
  CHECK(mappings() < before + runs / 4);  // allocators have some of their own
}

TEST_CASE("Copies of a step share nothing") {
  const Sequence sequence =
      checks().prepare(of_phase(tiny(DType::bf16), Phase::prefill, 1, 8), false, 2);
  CHECK(sequence.copies() == 2);
  std::vector<void*> first, second;
  for (const Tensor& tensor : sequence.tensors(0)) first.push_back(tensor.data);
  for (const Tensor& tensor : sequence.tensors(1)) second.push_back(tensor.data);
  REQUIRE(first.size() == second.size());
  for (void* data : first) CHECK(std::ranges::find(second, data) == second.end());
}
