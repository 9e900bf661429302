// SPDX-License-Identifier: Apache-2.0
// Gradients of attention by every instruction set against the oracle, within the bounds that
// measured rows must keep.
#include <algorithm>

#include "backends/cpu/attention.h"
#include "backends/cpu/kernels.h"
#include "bench/verify.h"
#include "tests/catch.h"

using namespace steelyard;
using namespace steelyard::cpu;

namespace {

const InstructionSet sets[] = {InstructionSet::baseline, InstructionSet::v3, InstructionSet::v4,
                               InstructionSet::v4_dot};

CpuDevice& device() {
  static CpuDevice opened;
  return opened;
}

Attention backward(DType type, std::int64_t queries, std::int64_t keys) {
  return {.pass = Pass::backward,
          .dtype = type,
          .heads = 2,
          .kv_heads = 2,
          .queries = queries,
          .keys = keys,
          .head_dim = 64};
}

void check(const Attention& p) {
  const Truth truth(p, Fill::normal, Inputs{}.seed, Encoding::ocp);
  for (const InstructionSet set : sets) {
    if (!can_run(set)) continue;
    const auto run = prepare_attention_gradients(set, device(), p, {.copies = 2});
    for (const int copy : {0, 1}) {
      const Verdict verdict = verify(device(), *run, copy, truth);
      INFO(id(p) << ' ' << name(set) << ": " << verdict.error << ", " << verdict.check);
      CHECK(verdict.ok);
    }
  }
}

}  // namespace

TEST_CASE("Gradients are right for sizes on both sides of every block") {
  const DType type = GENERATE(DType::f32, DType::bf16, DType::f16);
  for (const std::int64_t queries : {1, 16, 63, 130})
    for (const std::int64_t keys : {1, 7, 64, 65, 200}) check(backward(type, queries, keys));
}

TEST_CASE("Gradients are right for every head dimension that the row accepts") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  for (const std::int64_t head_dim : {16, 80, 128, 256}) {
    Attention p = backward(type, 20, 70);
    p.head_dim = head_dim;
    check(p);
  }
}

TEST_CASE("Query heads add up the gradients of the keys that they share") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  for (const std::int64_t ratio : {1, 3, 8})
    for (const std::int64_t kv_heads : {1, 2}) {
      Attention p = backward(type, 100, 130);
      p.batch = 2;
      p.heads = kv_heads * ratio;
      p.kv_heads = kv_heads;
      p.causal = ratio == 3;
      check(p);
    }
}

TEST_CASE("One K and V is divided among the threads, and its gradients are added up") {
  Attention p = backward(DType::f32, 300, 270);
  p.heads = p.kv_heads = 1;
  check(p);
}

TEST_CASE("No gradient passes the causal mask") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  for (const auto& [queries, keys] : {std::pair{70, 70}, {70, 200}, {1, 90}, {130, 131}}) {
    Attention p = backward(type, queries, keys);
    p.causal = true;
    check(p);
  }
}

// A forward pass with a mask, bound to a backward pass with one and to one without.
TEST_CASE("o and lse may be those of an earlier Run, and wrong ones give wrong gradients") {
  Attention p = backward(DType::bf16, 100, 100);
  p.causal = true;
  Attention forward = p;
  forward.pass = Pass::forward;
  const auto before = prepare_online_softmax(best_instruction_set(), device(), forward, {});
  before->launch(0);
  const auto verdict = [&](const Attention& problem) {
    const auto run = prepare_attention_gradients(best_instruction_set(), device(), problem,
                                                 {.bound = before->outputs(0)});
    return verify(device(), *run, 0, Truth(problem, Fill::normal, Inputs{}.seed, Encoding::ocp));
  };
  CHECK(verdict(p).ok);
  p.causal = false;
  CHECK_FALSE(verdict(p).ok);
}

TEST_CASE("What the row does not compute is declined with a reason") {
  const auto answer = [](const Attention& p) {
    return attention_backward_kernels().front().supports(p, device().info());
  };
  Attention p = backward(DType::bf16, 64, 64);
  CHECK(answer(p).answer == Support::yes);
  p.page_size = 16;
  CHECK(answer(p).reason == "a paged cache has no gradients");
  p.page_size = 0;
  p.head_dim = 72;
  CHECK(answer(p).reason == "head_dim=72 is not a multiple of 16 up to 256");
  p.head_dim = 64;
  p.dtype = DType::f64;
  CHECK(answer(p).answer == Support::no);
  p.pass = Pass::forward;
  CHECK(answer(p).answer == Support::foreign);
}
