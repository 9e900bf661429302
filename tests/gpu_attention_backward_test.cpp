// SPDX-License-Identifier: Apache-2.0
// The gradients of attention on a GPU against the oracle.
#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/gpu_device.h"

using namespace steelyard;

namespace {

Attention backward(DType type, std::int64_t heads, std::int64_t kv_heads, std::int64_t queries,
                   std::int64_t keys, std::int64_t head_dim, bool causal) {
  return {.pass = Pass::backward,
          .dtype = type,
          .batch = 2,
          .heads = heads,
          .kv_heads = kv_heads,
          .queries = queries,
          .keys = keys,
          .head_dim = head_dim,
          .causal = causal};
}

}  // namespace

TEST_CASE("Gradients agree with the oracle at whole tiles and ragged ends") {
  struct Tokens {
    std::int64_t queries, keys;
  };
  for (const auto& [queries, keys] :
       {Tokens{128, 128}, Tokens{1, 1}, Tokens{65, 130}, Tokens{130, 65}, Tokens{70, 33}})
    for (const bool causal : {false, true})
      CHECK(check_every_row(backward(DType::bf16, 2, 2, queries, keys, 128, causal)) == 1);
}

TEST_CASE("Gradients of a shared key head are summed over its query heads") {
  for (const std::int64_t kv_heads : {1, 2})
    CHECK(check_every_row(backward(DType::bf16, 4, kv_heads, 48, 96, 64, true)) == 1);
}

TEST_CASE("Gradients are computed in f16 too, for either head_dim") {
  for (const std::int64_t head_dim : {64, 128})
    CHECK(check_every_row(backward(DType::f16, 2, 1, 80, 80, head_dim, true)) == 1);
}
