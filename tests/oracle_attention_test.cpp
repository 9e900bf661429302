// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include "tests/catch.h"
#include "tests/oracle.h"

namespace steelyard {
namespace {

constexpr Attention small = {.dtype = DType::f64,
                             .batch = 2,
                             .heads = 4,
                             .kv_heads = 2,
                             .queries = 3,
                             .keys = 5,
                             .head_dim = 4};

Attention causal(Attention p) {
  p.causal = true;
  return p;
}

Attention paged(Attention p, std::int64_t page_size) {
  p.pass = Pass::decode;
  p.page_size = page_size;
  return p;
}

std::vector<HostTensor> random_inputs(const Problem& problem) {
  return make_inputs(problem, Fill::normal, 11);
}

// Index of element d of a query's row, and of a key's.
std::int64_t at_query(const Attention& p, std::int64_t b, std::int64_t i, std::int64_t h,
                      std::int64_t d) {
  return ((b * p.queries + i) * p.heads + h) * p.head_dim + d;
}
std::int64_t at_key(const Attention& p, std::int64_t b, std::int64_t j, std::int64_t h,
                    std::int64_t d) {
  return ((b * p.keys + j) * p.kv_heads + h / (p.heads / p.kv_heads)) * p.head_dim + d;
}

// Calls function(b, i, h, d) for every element of the output.
template <class Function>
void each(const Attention& p, Function function) {
  for (std::int64_t b = 0; b < p.batch; ++b)
    for (std::int64_t i = 0; i < p.queries; ++i)
      for (std::int64_t h = 0; h < p.heads; ++h)
        for (std::int64_t d = 0; d < p.head_dim; ++d) function(b, i, h, d);
}

}  // namespace

TEST_CASE("equal keys give the mean of the values and the score plus log(keys)") {
  const Attention p = small;
  auto inputs = random_inputs(p);
  Values k(find(inputs, "k").values().size(), 0.5);
  set(inputs, "k", k);
  const Values q = get(inputs, "q"), v = get(inputs, "v");
  const Values o = truth(p, inputs, "o"), lse = truth(p, inputs, "lse");
  each(p, [&](auto b, auto i, auto h, auto d) {
    double mean = 0, score = 0;
    for (int j = 0; j < p.keys; ++j) mean += v[at_key(p, b, j, h, d)] / 5;
    for (int e = 0; e < p.head_dim; ++e) score += q[at_query(p, b, i, h, e)] * 0.5 / 2;
    CHECK(o[at_query(p, b, i, h, d)] == Approx(mean).margin(1e-14));
    CHECK(lse[(b * p.heads + h) * p.queries + i] == Approx(score + std::log(5)));
  });
}

TEST_CASE("two keys are weighted by the logistic function of their scores' difference") {
  Attention p = small;
  p.keys = 2;
  auto inputs = random_inputs(p);
  const Values q = get(inputs, "q"), k = get(inputs, "k"), v = get(inputs, "v");
  const Values o = truth(p, inputs, "o");
  each(p, [&](auto b, auto i, auto h, auto d) {
    double difference = 0;
    for (int e = 0; e < p.head_dim; ++e)
      difference += q[at_query(p, b, i, h, e)] *
                    (k[at_key(p, b, 1, h, e)] - k[at_key(p, b, 0, h, e)]) / std::sqrt(4.0);
    const double second = 0.5 + 0.5 * std::tanh(difference / 2);
    const double expected =
        (1 - second) * v[at_key(p, b, 0, h, d)] + second * v[at_key(p, b, 1, h, d)];
    CHECK(o[at_query(p, b, i, h, d)] == Approx(expected).margin(1e-13));
  });
}

TEST_CASE("one dominant key passes its value on, however large the scores") {
  Attention p = small;
  p.batch = p.heads = p.kv_heads = p.queries = 1;
  auto inputs = random_inputs(p);
  set(inputs, "q", {1, 1, 1, 1});
  Values k(p.keys * p.head_dim, 0);
  for (int d = 0; d < 4; ++d) k[3 * 4 + d] = 5000;
  set(inputs, "k", k);
  const Values v = get(inputs, "v");
  CHECK(truth(p, inputs, "o") == Values(v.begin() + 12, v.begin() + 16));
  CHECK(truth(p, inputs, "lse") == Values{10000});
}

TEST_CASE("a shift of all keys moves lse by its score and leaves the output") {
  const Attention p = small;
  auto inputs = random_inputs(p);
  const Values o = truth(p, inputs, "o"), lse = truth(p, inputs, "lse");
  Values k = get(inputs, "k");
  for (double& x : k) x += 3;
  set(inputs, "k", k);
  const Values q = get(inputs, "q"), shifted = truth(p, inputs, "lse");
  CHECK(largest_difference(truth(p, inputs, "o"), o) < 1e-12);
  each(p, [&](auto b, auto i, auto h, auto) {
    double score = 0;
    for (int d = 0; d < p.head_dim; ++d) score += 3 * q[at_query(p, b, i, h, d)] / 2;
    const std::int64_t e = (b * p.heads + h) * p.queries + i;
    CHECK(shifted[e] == Approx(lse[e] + score).margin(1e-12));
  });
}

TEST_CASE("lse of two halves of the keys combines to the lse and output of all") {
  Attention p = small, half = small;
  p.batch = half.batch = 1;
  p.keys = 6;
  half.keys = 3;
  auto inputs = random_inputs(p), first = random_inputs(half), second = random_inputs(half);
  for (const char* name : {"k", "v"}) {
    const Values all = get(inputs, name);
    set(first, name, Values(all.begin(), all.begin() + all.size() / 2));
    set(second, name, Values(all.begin() + all.size() / 2, all.end()));
  }
  for (auto* part : {&first, &second}) set(*part, "q", get(inputs, "q"));
  const Values l1 = truth(half, first, "lse"), l2 = truth(half, second, "lse");
  const Values o1 = truth(half, first, "o"), o2 = truth(half, second, "o");
  const Values lse = truth(p, inputs, "lse"), o = truth(p, inputs, "o");
  each(p, [&](auto b, auto i, auto h, auto d) {
    const std::int64_t e = (b * p.heads + h) * p.queries + i, x = at_query(p, b, i, h, d);
    const double total = std::log(std::exp(l1[e]) + std::exp(l2[e]));
    CHECK(lse[e] == Approx(total));
    CHECK(o[x] ==
          Approx(o1[x] * std::exp(l1[e] - total) + o2[x] * std::exp(l2[e] - total)).margin(1e-13));
  });
}

TEST_CASE("a causal query sees no later key, and the first query of a square only the first") {
  Attention p = causal(small);
  p.keys = p.queries = 4;
  auto inputs = random_inputs(p);
  const Values o = truth(p, inputs, "o"), v = get(inputs, "v");
  each(p, [&](auto b, auto i, auto h, auto d) {
    if (i == 0) CHECK(o[at_query(p, b, i, h, d)] == v[at_key(p, b, 0, h, d)]);
  });
  Values k = get(inputs, "k");
  for (std::int64_t b = 0; b < p.batch; ++b)
    for (std::int64_t h = 0; h < p.heads; h += 2) k[at_key(p, b, 2, h, 0)] += 1;
  set(inputs, "k", k);
  const Values changed = truth(p, inputs, "o");
  each(p, [&](auto b, auto i, auto h, auto d) {
    const std::int64_t x = at_query(p, b, i, h, d);
    CHECK((changed[x] == o[x]) == (i < 2));
  });
}

TEST_CASE("the causal mask is aligned at the end: the last query sees every key") {
  Attention last = small;
  last.queries = 1;
  auto all = random_inputs(causal(small)), one = random_inputs(last);
  Values q;
  each(last, [&](auto b, auto, auto h, auto d) {
    q.push_back(get(all, "q")[at_query(small, b, 2, h, d)]);
  });
  set(one, "q", q);
  for (const char* name : {"k", "v"}) set(one, name, get(all, name));
  const Values o = truth(causal(small), all, "o"), expected = truth(last, one, "o");
  each(last, [&](auto b, auto, auto h, auto d) {
    CHECK(o[at_query(small, b, 2, h, d)] == expected[at_query(last, b, 0, h, d)]);
  });
}

TEST_CASE("grouped queries equal full heads whose keys and values are repeated") {
  Attention full = small;
  full.kv_heads = full.heads;
  auto grouped = random_inputs(small), repeated = random_inputs(full);
  set(repeated, "q", get(grouped, "q"));
  for (const char* name : {"k", "v"}) {
    const Values shared = get(grouped, name);
    Values all(shared.size() * 2);
    for (int b = 0; b < full.batch; ++b)
      for (int j = 0; j < full.keys; ++j)
        for (int h = 0; h < full.heads; ++h)
          for (int d = 0; d < full.head_dim; ++d)
            all[at_key(full, b, j, h, d)] = shared[at_key(small, b, j, h, d)];
    set(repeated, name, all);
  }
  CHECK(truth(small, grouped, "o") == truth(full, repeated, "o"));
  CHECK(truth(small, grouped, "lse") == truth(full, repeated, "lse"));
}

TEST_CASE("a paged cache equals the contiguous one gathered from its pages") {
  const Attention p = paged(small, GENERATE(1, 2, 4, 8));  // 5 keys: most leave the last page short
  const Attention contiguous = paged(small, 0);
  auto inputs = random_inputs(p), gathered = random_inputs(contiguous);
  set(gathered, "q", get(inputs, "q"));
  const Values table = get(inputs, "page_table");
  const std::size_t pages = table.size() / p.batch, row = p.kv_heads * p.head_dim;
  for (const char* name : {"k", "v"}) {
    const Values cache = get(inputs, name);
    Values line;
    for (std::size_t b = 0; b < 2; ++b)
      for (std::size_t j = 0; j < 5; ++j) {
        const auto page = static_cast<std::size_t>(table[b * pages + j / p.page_size]);
        const auto first = cache.begin() + (page * p.page_size + j % p.page_size) * row;
        line.insert(line.end(), first, first + row);
      }
    set(gathered, name, line);
  }
  CHECK(truth(p, inputs, "o") == truth(contiguous, gathered, "o"));
  CHECK(truth(p, inputs, "lse") == truth(contiguous, gathered, "lse"));
}

TEST_CASE("an fp8 cache equals a wide one that holds the same numbers, in either encoding") {
  for (const Encoding encoding : {Encoding::ocp, Encoding::fnuz})
    for (const std::int64_t page_size : {0, 2}) {
      Attention p = paged(small, page_size);
      auto wide = make_inputs(p, Fill::normal, 11);
      p.fp8_cache = true;
      auto narrow = make_inputs(p, Fill::normal, 11, encoding);
      for (const char* name : {"k", "v"}) {
        CHECK(find(narrow, name).data.size() * 8 == find(wide, name).data.size());
        set(wide, name, get(narrow, name));
      }
      set(wide, "q", get(narrow, "q"));
      const Attention same = paged(small, page_size);
      CHECK(truth(p, narrow, "o") == truth(same, wide, "o"));
      CHECK(truth(p, narrow, "lse") == truth(same, wide, "lse"));
    }
}

TEST_CASE("the backward pass is the derivative of the forward pass") {
  Attention forward = small;
  forward.causal = GENERATE(false, true);
  Attention backward = forward;
  backward.pass = Pass::backward;
  auto inputs = random_inputs(backward), primal = random_inputs(forward);
  for (const char* name : {"q", "k", "v"}) set(primal, name, get(inputs, name));
  for (const std::string name : {"q", "k", "v"}) {
    const Values expected = gradient(forward, primal, name, "o", get(inputs, "do"));
    CHECK(largest_difference(truth(backward, inputs, "d" + name), expected) < 1e-8);
  }
}

TEST_CASE("magnitudes bound the values, and are the values where nothing cancels") {
  Attention p = small;
  p.pass = GENERATE(Pass::forward, Pass::backward);
  for (const Expected& output : reference(p, random_inputs(p))) {
    REQUIRE(output.magnitudes.size() == output.values.size());
    for (std::size_t i = 0; i < output.values.size(); ++i)
      CHECK(std::abs(output.values[i]) <= output.magnitudes[i] + 2);  // lse: log(keys) < 2
  }
  p.pass = Pass::forward;
  auto inputs = random_inputs(p);
  Values v = get(inputs, "v");
  for (double& x : v) x = std::abs(x);
  set(inputs, "v", v);
  const auto positive = reference(p, inputs);
  CHECK(find(positive, "o").values == find(positive, "o").magnitudes);
  CHECK(find(positive, "o").terms == p.keys);
}

TEST_CASE("sampled rows are those of the whole") {
  Attention p = causal(small);
  p.pass = GENERATE(Pass::forward, Pass::backward);
  p.queries = 20;
  p.keys = 33;
  const auto inputs = random_inputs(p);
  const auto all = reference(p, inputs), some = reference(p, inputs, 100);
  for (std::size_t output = 0; output < all.size(); ++output) {
    REQUIRE(some[output].elements == sample(all[output].operand, 100));
    for (std::size_t s = 0; s < some[output].elements.size(); ++s) {
      CHECK(some[output].values[s] == all[output].values[some[output].elements[s]]);
      CHECK(some[output].magnitudes[s] == all[output].magnitudes[some[output].elements[s]]);
    }
  }
}

TEST_CASE("storage rounds the probabilities before they meet V, and the output") {
  Attention p = {.dtype = DType::bf16, .queries = 1, .keys = 2, .head_dim = 1};
  auto inputs = random_inputs(p);
  set(inputs, "q", {1});
  set(inputs, "k", {0, -1});
  set(inputs, "v", {0, 1});
  const double weight = std::exp(-1);  // 0.36788, in bf16 0.3671875
  const double sum = 1 + weight;
  CHECK(truth(p, inputs, "o").front() == Approx(weight / sum).epsilon(1e-14));
  const auto stored = reference(p, inputs, 0, Rounding::storage);
  CHECK(stored.front().values.front() == round_to(DType::bf16, 0.3671875 / sum));
}

TEST_CASE("storage rounds the probabilities of the backward pass before they meet dO") {
  Attention p = {
      .pass = Pass::backward, .dtype = DType::bf16, .queries = 1, .keys = 2, .head_dim = 1};
  auto inputs = random_inputs(p);
  set(inputs, "q", {1});
  set(inputs, "k", {0, -1});
  set(inputs, "do", {7});
  const double second = 1 / (1 + std::exp(1));  // 0.26894, in bf16 0.26953125
  CHECK(truth(p, inputs, "dv").back() == Approx(7 * second).epsilon(1e-14));
  const auto stored = reference(p, inputs, 0, Rounding::storage);
  CHECK(find(stored, "dv").values.back() ==
        1.890625);  // 7 * 0.26953125 to even; unrounded 1.8828125
}

}  // namespace steelyard
