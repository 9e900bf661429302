// SPDX-License-Identifier: Apache-2.0
// The layer operations that move rows or change their format: embedding, cache, experts,
// quantisation.
#include <cmath>
#include <numeric>

#include "tests/catch.h"
#include "tests/oracle.h"

namespace steelyard {
namespace {

Layer layer(LayerOp op, std::int64_t rows, std::int64_t columns) {
  return {.op = op,
          .dtype = DType::f64,
          .rows = rows,
          .columns = columns,
          .head_dim = 2,
          .entries = 6,
          .choices = 2};
}

std::vector<HostTensor> random_inputs(const Problem& problem) {
  return make_inputs(problem, Fill::normal, 17);
}

}  // namespace

TEST_CASE("a gather reads the named rows") {
  const Layer p = layer(LayerOp::embedding_gather, 3, 2);
  auto inputs = random_inputs(p);
  set(inputs, "table", {0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51});
  set(inputs, "ids", {4, 0, 4});
  CHECK(truth(p, inputs, "y") == Values{40, 41, 0, 1, 40, 41});
}

TEST_CASE("scatter is the adjoint of gather, added to what was there") {
  const Layer scatter = layer(LayerOp::embedding_scatter, 9, 3);
  const Layer gather = layer(LayerOp::embedding_gather, 9, 3);
  auto inputs = random_inputs(scatter), other = random_inputs(gather);
  set(other, "ids", get(inputs, "ids"));
  const Values table = get(other, "table");
  const double added =
      dot(truth(scatter, inputs, "dtable"), table) - dot(get(inputs, "dtable"), table);
  CHECK(added == Approx(dot(get(inputs, "dy"), truth(gather, other, "y"))));
}

TEST_CASE("a scatter counts the terms of its longest sum and adds up their absolute values") {
  const Layer p = layer(LayerOp::embedding_scatter, 4, 1);
  auto inputs = random_inputs(p);
  set(inputs, "ids", {2, 5, 2, 2});
  set(inputs, "dy", {1, 7, -2, 4});
  set(inputs, "dtable", {0, 0, -8, 0, 0, 0});
  const Expected dtable = reference(p, inputs).front();
  CHECK(dtable.values == Values{0, 0, -5, 0, 0, 7});
  CHECK(dtable.magnitudes == Values{0, 0, 15, 0, 0, 7});
  CHECK(dtable.terms == 4);
}

TEST_CASE("a cache takes the new token of each row at its position and keeps the rest") {
  const Layer p = layer(LayerOp::cache_append, 2, 2);  // 2 rows of 6 positions
  auto inputs = random_inputs(p);
  set(inputs, "positions", {1, 5});
  for (const char* name : {"k", "v"}) {
    const std::string cache = std::string(name) + "_cache";
    const Values token = get(inputs, name);
    Values expected = get(inputs, cache);
    std::copy_n(token.begin(), 2, expected.begin() + 1 * 2);
    std::copy_n(token.begin() + 2, 2, expected.begin() + (6 + 5) * 2);
    CHECK(truth(p, inputs, cache) == expected);
  }
}

// 464 lies half way between 448 and what would be 480: an even neighbour that does not exist.
TEST_CASE("an fp8 cache takes the nearest number, and the largest of its encoding beyond it") {
  for (const Encoding encoding : {Encoding::ocp, Encoding::fnuz}) {
    Layer p = layer(LayerOp::cache_append, 1, 8);
    p.fp8_cache = true;
    auto inputs = make_inputs(p, Fill::normal, 17, encoding);
    set(inputs, "positions", {2});
    set(inputs, "k", {1.0625, 1.1875, -0.3, 232, 248, 464, -1e9, 0x1p-20});
    const double largest = encoding == Encoding::ocp ? 448 : 240;
    Values expected = get(inputs, "k_cache");
    const Values rounded = {
        1, 1.25, -0.3125, 224, encoding == Encoding::ocp ? 256. : 240., largest, -largest, 0};
    std::ranges::copy(rounded, expected.begin() + 2 * 8);
    CHECK(truth(p, inputs, "k_cache") == expected);
    CHECK(find(reference(p, inputs, 0, Rounding::storage), "k_cache").values == expected);
  }
}

TEST_CASE("a paged cache is the contiguous one when read through its page table") {
  Layer p = layer(LayerOp::cache_append, 3, 4);
  auto contiguous = random_inputs(p);
  p.page_size = 2;
  auto paged = random_inputs(p);
  for (const char* name : {"k", "v", "positions"}) set(paged, name, get(contiguous, name));
  const Values table = get(paged, "page_table"), line = get(contiguous, "k_cache");
  // Page n of the paged cache holds page n of the contiguous one, and both 2 positions of 4
  // elements.
  const auto in_pages = [&](const Values& all) {
    Values result(all.size());
    for (std::size_t page = 0; page < table.size(); ++page)
      for (std::size_t e = 0; e < 8; ++e)
        result[static_cast<std::size_t>(table[page]) * 8 + e] = all[page * 8 + e];
    return result;
  };
  set(paged, "k_cache", in_pages(line));
  const Values appended = truth(p, paged, "k_cache");
  p.page_size = 0;
  CHECK(appended == in_pages(truth(p, contiguous, "k_cache")));
}

TEST_CASE("samples of a large cache include the tokens just written") {
  Layer p = layer(LayerOp::cache_append, 2, 4);
  p.entries = 10000;
  auto inputs = random_inputs(p);
  set(inputs, "positions", {3333, 7777});
  const Expected cache = reference(p, inputs, 200).front();
  for (const std::int64_t line : {3333, 10000 + 7777})
    for (std::int64_t e = line * 4; e < line * 4 + 4; ++e)
      CHECK(std::ranges::binary_search(cache.elements, e));
}

TEST_CASE("samples of a large table's gradient include the rows that were added to") {
  Layer p = layer(LayerOp::embedding_scatter, 3, 4);
  p.entries = 10000;
  auto inputs = random_inputs(p);
  set(inputs, "ids", {7777, 3333, 7777});
  const Expected dtable = reference(p, inputs, 200).front();
  for (const std::int64_t id : {3333, 7777})
    for (std::int64_t e = id * 4; e < id * 4 + 4; ++e)
      CHECK(std::ranges::binary_search(dtable.elements, e));
}

TEST_CASE("routing takes the largest logits, of equal ones the first, and weights that sum to 1") {
  Layer p = layer(LayerOp::route, 2, 1);
  p.choices = 3;
  auto inputs = random_inputs(p);
  set(inputs, "logits", {1, 3, 2, 3, 0, 3, -1, -5, -1, -2, -9, -3});
  CHECK(truth(p, inputs, "choice") == Values{1, 3, 5, 0, 2, 3});
  const double sum = 2 + std::exp(-1);
  const Values expected = {1.0 / 3, 1.0 / 3, 1.0 / 3, 1 / sum, 1 / sum, std::exp(-1) / sum};
  CHECK(largest_difference(truth(p, inputs, "weight"), expected) < 1e-15);
}

TEST_CASE("routing weights are the softmax over all experts, renormalised") {
  const Layer p = layer(LayerOp::route, 5, 1);
  auto inputs = random_inputs(p);
  const Values logits = get(inputs, "logits"), choice = truth(p, inputs, "choice");
  const Values weight = truth(p, inputs, "weight");
  for (int row = 0; row < 5; ++row) {
    double all = 0, chosen = 0;
    for (int e = 0; e < 6; ++e) all += std::exp(logits[row * 6 + e]);
    const auto probability = [&](int c) {
      return std::exp(logits[row * 6 + static_cast<int>(choice[row * 2 + c])]) / all;
    };
    for (int c = 0; c < 2; ++c) chosen += probability(c);
    for (int c = 0; c < 2; ++c) CHECK(weight[row * 2 + c] == Approx(probability(c) / chosen));
  }
}

TEST_CASE("permuted copies lie by expert and, within one, by token") {
  const Layer p = layer(LayerOp::permute, 3, 1);
  auto inputs = random_inputs(p);
  set(inputs, "x", {10, 20, 30});
  set(inputs, "choice", {4, 1, 1, 0, 5, 4});
  CHECK(truth(p, inputs, "offsets") == Values{0, 1, 3, 3, 3, 5, 6});
  CHECK(truth(p, inputs, "place") == Values{3, 1, 2, 0, 5, 4});
  CHECK(truth(p, inputs, "y") == Values{20, 10, 20, 10, 30, 30});
}

TEST_CASE("unpermute undoes permute when the weights of a token sum to 1") {
  const Layer there = layer(LayerOp::permute, 7, 3), back = layer(LayerOp::unpermute, 7, 3);
  auto inputs = random_inputs(there), other = random_inputs(back);
  set(other, "y", truth(there, inputs, "y"));
  set(other, "place", truth(there, inputs, "place"));
  Values weight;
  for (int token = 0; token < 7; ++token) {
    weight.push_back(token / 8.0);
    weight.push_back(1 - token / 8.0);
  }
  set(other, "weight", weight);
  CHECK(largest_difference(truth(back, other, "x"), get(inputs, "x")) < 1e-14);
}

TEST_CASE("unpermute weighs each copy where it lies") {
  const Layer p = layer(LayerOp::unpermute, 2, 1);
  auto inputs = random_inputs(p);
  set(inputs, "y", {1, 2, 3, 4});
  set(inputs, "place", {3, 0, 1, 2});
  set(inputs, "weight", {1, -10, 0.5, 2});
  const Expected x = reference(p, inputs).front();
  CHECK(x.values == Values{-6, 7});
  CHECK(x.magnitudes == Values{14, 7});
}

TEST_CASE("amax is the largest absolute value of each row") {
  const Layer p = layer(LayerOp::amax, 2, 3);
  auto inputs = random_inputs(p);
  set(inputs, "x", {1, -4, 2, 0, 0, 0});
  CHECK(truth(p, inputs, "amax") == Values{4, 0});
}

TEST_CASE(
    "quantised rows reach the largest value, stay within half a step and survive a round trip") {
  const DType type = GENERATE(DType::int8, DType::int4, DType::fp8_e4m3, DType::fp8_e5m2);
  const Encoding encoding = GENERATE(Encoding::ocp, Encoding::fnuz);
  CAPTURE(name(type), name(encoding));
  Layer p = layer(LayerOp::quantise, 3, 21);
  p.quantised = type;
  auto inputs = make_inputs(p, Fill::normal, 19, encoding);
  Values x = get(inputs, "x");
  std::fill(x.begin(), x.begin() + 21, 0);
  set(inputs, "x", x);
  const auto rounded = [&] { return find(reference(p, inputs, 0, Rounding::storage), "q").values; };
  const Values q = rounded(), quotients = truth(p, inputs, "q"), scale = truth(p, inputs, "scale");
  CHECK(scale[0] == 1);
  for (int row = 1; row < 3; ++row) {
    double largest = 0;
    for (int j = row * 21; j < row * 21 + 21; ++j) {
      largest = std::max(largest, std::abs(q[j]));
      const double smallest_step = is_integer(type) ? 1 : 0x1p-9;  // between subnormal numbers
      const double bound = std::max(smallest_step / 2, unit_roundoff(type) * std::abs(q[j]));
      CHECK(quotients[j] == x[j] / scale[row]);
      CHECK(std::abs(quotients[j] - q[j]) <= bound * (1 + unit_roundoff(type)));
    }
    CHECK(largest == max_value(type, encoding));
  }

  p.op = LayerOp::dequantise;
  auto narrow = make_inputs(p, Fill::normal, 19, encoding);
  set(narrow, "q", q);
  set(narrow, "scale", scale);
  const Values restored = truth(p, narrow, "x");
  CHECK(restored[25] == q[25] * get(narrow, "scale")[1]);
  p.op = LayerOp::quantise;
  set(inputs, "x", restored);
  CHECK(rounded() == q);
}

}  // namespace steelyard
