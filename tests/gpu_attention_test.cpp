// SPDX-License-Identifier: Apache-2.0
// Attention forward and decode of a GPU against the oracle.
#include <algorithm>
#include <cmath>

#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/gpu_values.h"

using namespace steelyard;

namespace {

struct Tokens {
  std::int64_t queries, keys;
};

Attention forward(DType type, std::int64_t head_dim, Tokens tokens, bool causal = false) {
  return {.dtype = type,
          .queries = tokens.queries,
          .keys = tokens.keys,
          .head_dim = head_dim,
          .causal = causal};
}

Attention decode(DType type, std::int64_t head_dim, Tokens tokens) {
  Attention p = forward(type, head_dim, tokens, true);
  p.pass = Pass::decode;
  return p;
}

Support answer(std::string_view row, const Attention& problem) {
  const auto kernel = std::ranges::find(gpu_backend().kernels, row, &Kernel::name);
  REQUIRE(kernel != gpu_backend().kernels.end());
  return kernel->supports(problem, gpu_device().info());
}

}  // namespace

TEST_CASE("Forward is right on both sides of every tile of queries and keys") {
  for (const DType type : {DType::bf16, DType::f16})
    for (const std::int64_t head_dim : {64, 128})
      for (const Tokens tokens : {Tokens{1, 1}, {1, 200}, {128, 64}, {130, 65}, {257, 130}})
        check_row("online_softmax", forward(type, head_dim, tokens));
}

TEST_CASE("A causal mask is aligned at the last query and the last key") {
  for (const std::int64_t head_dim : {64, 128})
    for (const Tokens tokens : {Tokens{1, 90}, {70, 70}, {70, 200}, {200, 201}, {256, 256}})
      check_row("online_softmax", forward(DType::bf16, head_dim, tokens, true));
}

// Scores of whole numbers are far apart: in later tiles the maximum outgrows that of the first one.
TEST_CASE("What was summed up is rescaled when the maximum grows") {
  for (const DType type : {DType::bf16, DType::f16})
    for (const std::int64_t head_dim : {64, 128}) {
      check_row("online_softmax", forward(type, head_dim, {64, 300}), Fill::integers);
      check_row("split_keys", decode(type, head_dim, {16, 300}), Fill::integers);
    }
}

TEST_CASE("Query heads share keys in groups, sequences keep theirs apart") {
  for (const std::int64_t ratio : {1, 4, 8}) {
    Attention p = forward(DType::bf16, 64, {40, 70}, ratio == 4);
    p.batch = 2;
    p.kv_heads = 2;
    p.heads = 2 * ratio;
    check_row("online_softmax", p);
  }
}

TEST_CASE("Decode is right on both sides of every tile of keys") {
  for (const DType type : {DType::bf16, DType::f16})
    for (const std::int64_t head_dim : {64, 128})
      for (const std::int64_t keys : {1, 63, 64, 130, 700})
        check_row("split_keys", decode(type, head_dim, {1, keys}));
}

TEST_CASE("Decode packs query heads and queries into rows, causal or not") {
  for (const bool causal : {false, true})
    for (const std::int64_t ratio : {1, 4, 8, 32})
      for (const std::int64_t queries : {1, 3}) {
        Attention p = decode(DType::bf16, 64, {queries, 150});
        p.batch = 2;
        p.kv_heads = 2;
        p.heads = 2 * ratio;
        p.causal = causal;
        check_row("split_keys", p);
      }
}

TEST_CASE("Decode finds keys and values in shuffled pages, the last one ragged") {
  for (const std::int64_t page_size : {1, 16, 20, 64})
    for (const std::int64_t head_dim : {64, 128})
      for (const std::int64_t keys : {5, 128, 333}) {
        Attention p = decode(DType::bf16, head_dim, {1, keys});
        p.batch = 2;
        p.kv_heads = 2;
        p.heads = 8;
        p.page_size = page_size;
        check_row("split_keys", p);
      }
}

TEST_CASE("Decode reads an fp8 cache, in shuffled pages or not") {
  for (const DType type : {DType::bf16, DType::f16})
    for (const std::int64_t page_size : {0, 20})
      for (const std::int64_t head_dim : {64, 128})
        for (const std::int64_t keys : {1, 127, 128, 300, 530}) {
          Attention p = decode(type, head_dim, {1, keys});
          p.kv_heads = 2;
          p.heads = 8;
          p.page_size = page_size;
          p.fp8_cache = true;
          check_row("split_keys", p, keys == 530 ? Fill::integers : Fill::normal);
        }
}

TEST_CASE("Query heads and queries share an fp8 cache, sequences keep theirs apart") {
  for (const bool causal : {false, true})
    for (const std::int64_t ratio : {1, 8, 32}) {
      Attention p = decode(DType::bf16, 64, {3, 150});
      p.batch = 2;
      p.kv_heads = 2;
      p.heads = 2 * ratio;
      p.causal = causal;
      p.fp8_cache = true;
      check_row("split_keys", p);
    }
}

// One key: the output is its value, and the logarithm of the only exponential its score.
TEST_CASE("Every code of an fp8 cache is read as its number, at its own place of a head") {
  for (const DType type : {DType::bf16, DType::f16}) {
    Attention p = decode(type, 128, {1, 1});
    p.batch = 256;
    p.fp8_cache = true;
    const Encoding encoding = gpu_device().info().fp8;
    std::vector<HostTensor> in = make_inputs(p, Fill::ones, 1, encoding);
    for (int code = 0; code < 256; ++code)
      for (int d = 0; d < 128; ++d) {
        in[1].data[code * 128 + d] = static_cast<std::byte>(d == code % 128 ? code : 0);
        in[2].data[code * 128 + d] = static_cast<std::byte>((code + d) % 256);
      }
    const auto out = compute(p, in);
    const auto number = [&](int code) {
      return decode(DType::fp8_e4m3, static_cast<std::uint64_t>(code), encoding);
    };
    const auto same = [](double a, double b, double bound) {
      return std::isnan(a) ? std::isnan(b) : std::abs(a - b) <= bound;
    };
    std::int64_t wrong = 0;
    for (int code = 0; code < 256; ++code) {
      const double score = number(code) / std::sqrt(128.0);
      wrong += !same(score, out.at(1).at(code), 1e-6 * (1 + std::abs(score)));
      for (int d = 0; d < 128; ++d)
        wrong +=
            !std::isnan(score) && !same(number((code + d) % 256), out.at(0).at(code * 128 + d), 0);
    }
    INFO(id(p));
    CHECK(wrong == 0);
  }
}

TEST_CASE("With many sequences, a split of the keys is many tiles") {
  for (const std::int64_t page_size : {0, 16}) {
    Attention p = decode(DType::f16, 64, {1, 500});
    p.batch = 100;
    p.kv_heads = 4;
    p.heads = 4;
    p.page_size = page_size;
    check_row("split_keys", p);
  }
}

TEST_CASE("Rows decline what they do not compute, with a reason") {
  Attention p = forward(DType::bf16, 128, {8, 8});
  CHECK(answer("online_softmax", p).answer == Support::yes);
  p.head_dim = 96;
  CHECK(answer("online_softmax", p).reason == "head_dim is 64 or 128 here, not 96");
  p.head_dim = 128;
  p.dtype = DType::f32;
  CHECK(answer("online_softmax", p).reason == "matrix units take bf16 and f16 here, not f32");
  p.dtype = DType::bf16;
  p.page_size = 16;
  CHECK(answer("online_softmax", p).answer == Support::no);
  CHECK(answer("split_keys", p).answer == Support::foreign);
  p.pass = Pass::decode;
  CHECK(answer("split_keys", p).answer == Support::yes);
  p.fp8_cache = true;
  CHECK(answer("split_keys", p).answer == Support::yes);
  p.head_dim = 80;
  CHECK(answer("split_keys", p).reason == "head_dim is 64 or 128 here, not 80");
  p.pass = Pass::backward;
  CHECK(answer("online_softmax", p).answer == Support::foreign);
}
