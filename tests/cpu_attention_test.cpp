// SPDX-License-Identifier: Apache-2.0
// Every variant of the attention kernel against softmax(Q K^T / sqrt(d)) V in f64, written out
// here.
#include "backends/cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/kernels.h"
#include "tests/catch.h"

using namespace steelyard;
using namespace steelyard::cpu;

namespace {

const InstructionSet sets[] = {InstructionSet::baseline, InstructionSet::v3, InstructionSet::v4,
                               InstructionSet::v4_dot};

// One query's outputs, and what their errors are proportional to.
struct Answer {
  std::vector<double> o, magnitude;  // sum of p v and of p |v|
  double lse = 0;
  double score_magnitude = 0;  // largest sum of |q k| / sqrt(d)
};

struct Tensors {
  std::vector<double> q, k, v;
};

// K or V in the order of their keys, page by page where they lie in pages.
std::vector<double> in_order(const Attention& p, const std::vector<HostTensor>& in,
                             const HostTensor& cache) {
  const std::vector<double> values = cache.values();
  if (p.page_size == 0) return values;
  const std::int64_t pages = (p.keys + p.page_size - 1) / p.page_size,
                     row = p.kv_heads * p.head_dim;
  std::vector<double> ordered;
  for (std::int64_t batch = 0; batch < p.batch; ++batch)
    for (std::int64_t key = 0; key < p.keys; ++key) {
      const auto page = static_cast<std::int64_t>(in[3].at(batch * pages + key / p.page_size));
      const auto first = values.begin() + (page * p.page_size + key % p.page_size) * row;
      ordered.insert(ordered.end(), first, first + row);
    }
  return ordered;
}

Answer answer(const Attention& p, const Tensors& in, std::int64_t batch, std::int64_t head,
              std::int64_t query) {
  const std::int64_t kv_head = head / (p.heads / p.kv_heads);
  const double* q = &in.q[((batch * p.queries + query) * p.heads + head) * p.head_dim];
  const auto row = [&](std::int64_t key) {
    return ((batch * p.keys + key) * p.kv_heads + kv_head) * p.head_dim;
  };
  const std::int64_t visible =
      p.causal ? std::max<std::int64_t>(0, query + 1 + p.keys - p.queries) : p.keys;
  Answer result = {std::vector<double>(p.head_dim), std::vector<double>(p.head_dim)};
  std::vector<double> scores;
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (std::int64_t key = 0; key < visible; ++key) {
    double score = 0, magnitude = 0;
    for (std::int64_t d = 0; d < p.head_dim; ++d) {
      score += q[d] * in.k[row(key) + d];
      magnitude += std::abs(q[d] * in.k[row(key) + d]);
    }
    const double scale = 1 / std::sqrt(static_cast<double>(p.head_dim));
    scores.push_back(score * scale);
    largest = std::max(largest, score * scale);
    result.score_magnitude = std::max(result.score_magnitude, magnitude * scale);
  }
  for (const double score : scores) sum += std::exp(score - largest);
  result.lse = largest + std::log(sum);
  for (std::int64_t key = 0; key < visible; ++key)
    for (std::int64_t d = 0; d < p.head_dim; ++d) {
      const double term = std::exp(scores[key] - result.lse) * in.v[row(key) + d];
      result.o[d] += term;
      result.magnitude[d] += std::abs(term);
    }
  return result;
}

// How far a score in f32 may stray: recursive summation of d products (Higham, Accuracy and
// Stability, 3.1: d u, twice because a dot product of pairs may round, or cut, both of its sums),
// and the scaling to base 2.
double score_error(const Attention& p, const Answer& right) {
  const double u = unit_roundoff(DType::f32);
  return (2 * static_cast<double>(p.head_dim) + 4) * u * right.score_magnitude;
}

// A relative error of P is what its score strays (times e^x - 1 < 2x, in numerator and
// denominator), and its rounding: to bf16 where the products are bf16. Sums over keys add u per
// term.
double output_error(const Attention& p, const Answer& right, std::size_t d) {
  const double u = unit_roundoff(DType::f32), n = static_cast<double>(p.keys);
  const double rounded_p = p.dtype == DType::bf16 ? unit_roundoff(DType::bf16) : 0;
  const double relative = 4 * score_error(p, right) + rounded_p + (4 * n + 16) * u;
  // Products that underflow to zero in bf16 dot products.
  return relative * right.magnitude[d] + unit_roundoff(p.dtype) * std::abs(right.o[d]) +
         n * std::numeric_limits<float>::min() + (p.dtype == DType::f16 ? 0x1p-25 : 0);
}

// Fill, with q scaled up so that scores reach hundreds, by tensors of our own.
std::vector<HostTensor> inputs_of(const Attention& p, double q_factor) {
  std::vector<HostTensor> all = make_inputs(p, Fill::normal, 42);
  std::vector<double> q = all[0].values();
  for (double& value : q) value *= q_factor;
  store(p.dtype, all[0].data.data(), q);
  return all;
}

void check(const Attention& p, double q_factor = 1) {
  CpuDevice device;
  std::vector<HostTensor> in = inputs_of(p, q_factor);
  const Tensors values = {in[0].values(), in_order(p, in, in[1]), in_order(p, in, in[2])};
  std::vector<Answer> right;
  for (std::int64_t batch = 0; batch < p.batch; ++batch)
    for (std::int64_t query = 0; query < p.queries; ++query)
      for (std::int64_t head = 0; head < p.heads; ++head)
        right.push_back(answer(p, values, batch, head, query));
  // Tensors must start at a multiple of 64 bytes.
  std::vector<std::byte> memory(in[0].data.size() + 64);
  auto* q = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) /
                                         64 * 64);
  std::ranges::copy(in[0].data, q);
  for (const InstructionSet set : sets) {
    if (!can_run(set)) continue;
    INFO(id(p) << ' ' << name(set) << " q times " << q_factor);
    const auto run =
        prepare_online_softmax(set, device, p, {.bound = {{in[0].operand, q, Encoding::ocp}}});
    run->launch(0);
    const HostTensor o = device.read(run->outputs(0)[0]), lse = device.read(run->outputs(0)[1]);
    double worst_o = 0, worst_lse = 0;  // in tolerances; a NaN counts as infinite
    for (std::int64_t row = 0; row < static_cast<std::int64_t>(right.size()); ++row) {
      const Answer& wanted = right[row];
      const auto ratio = [](double error, double tolerance) {
        return error <= tolerance ? error / tolerance : std::numeric_limits<double>::infinity();
      };
      for (std::int64_t d = 0; d < p.head_dim; ++d)
        worst_o = std::max(worst_o, ratio(std::abs(o.at(row * p.head_dim + d) - wanted.o[d]),
                                          output_error(p, wanted, d)));
      const std::int64_t head = row % p.heads, query = row / p.heads % p.queries;
      const std::int64_t batch = row / p.heads / p.queries;
      const double got = lse.at((batch * p.heads + head) * p.queries + query);
      const double u = unit_roundoff(DType::f32), n = static_cast<double>(p.keys);
      if (got != wanted.lse)  // both may be minus infinity
        worst_lse = std::max(
            worst_lse, ratio(std::abs(got - wanted.lse),
                             score_error(p, wanted) + (n + 8) * u + 4 * u * std::abs(wanted.lse)));
    }
    CHECK(worst_o <= 1);
    CHECK(worst_lse <= 1);
    CHECK(run->damage(0).empty());
  }
}

Attention forward(DType type, std::int64_t queries, std::int64_t keys) {
  return {
      .dtype = type, .heads = 2, .kv_heads = 2, .queries = queries, .keys = keys, .head_dim = 64};
}

const Kernel& row(std::string_view wanted) {
  for (const Kernel& kernel : attention_kernels())
    if (kernel.name == wanted) return kernel;
  throw std::out_of_range("no such row");
}

}  // namespace

TEST_CASE("Attention is right for sizes on both sides of every block") {
  const DType type = GENERATE(DType::f32, DType::bf16, DType::f16);
  for (const std::int64_t queries : {1, 16, 63, 130})
    for (const std::int64_t keys : {1, 7, 64, 65, 200}) check(forward(type, queries, keys));
}

TEST_CASE("Attention is right for every head dimension that a row accepts") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  for (const std::int64_t head_dim : {16, 80, 128, 256}) {
    Attention p = forward(type, 20, 70);
    p.head_dim = head_dim;
    check(p);
  }
}

TEST_CASE("Query heads share keys in groups, batches keep theirs apart") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  for (const std::int64_t ratio : {1, 4, 8}) {
    Attention p = forward(type, 33, 70);
    p.batch = 2;
    p.heads = 2 * ratio;
    p.causal = ratio == 4;
    check(p);
  }
}

TEST_CASE("A causal mask is aligned at the last query and the last key") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  for (const auto& [queries, keys] : {std::pair{70, 70}, {70, 200}, {1, 90}, {130, 131}}) {
    Attention p = forward(type, queries, keys);
    p.causal = true;
    check(p);
  }
}

TEST_CASE("A query that sees no key has the output zero") {
  Attention p = forward(DType::f32, 100, 30);
  p.causal = true;
  check(p);
}

TEST_CASE("Scores of hundreds neither overflow nor lose a key") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  check(forward(type, 40, 150), 100);
}

TEST_CASE("Decode merges the ranges of keys that threads took apart") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  for (const std::int64_t ratio : {1, 4, 8, 32})
    for (const std::int64_t queries : {1, 3}) {
      Attention p = forward(type, queries, 1500);
      p.pass = Pass::decode;
      p.heads = ratio;
      p.kv_heads = 1;
      p.causal = true;
      check(p);
    }
}

TEST_CASE("Keys and values are gathered from pages of every size") {
  const DType type = GENERATE(DType::f32, DType::bf16, DType::f16);
  for (const std::int64_t page_size : {1, 3, 16, 64, 100})
    for (const std::int64_t keys : {1, 65, 700}) {
      Attention p = forward(type, 1, keys);
      p.pass = Pass::decode;
      p.batch = 3;
      p.heads = 8;
      p.page_size = page_size;
      check(p);
    }
}

TEST_CASE("Keys and values of an fp8 cache are the numbers they stand for, in pages or not") {
  const DType type = GENERATE(DType::f32, DType::bf16, DType::f16);
  for (const std::int64_t page_size : {0, 3, 64})
    for (const std::int64_t head_dim : {16, 80, 128})
      for (const std::int64_t keys : {1, 65, 330}) {
        Attention p = forward(type, 1, keys);
        p.pass = Pass::decode;
        p.batch = 3;
        p.heads = 8;
        p.head_dim = head_dim;
        p.page_size = page_size;
        p.fp8_cache = true;
        check(p);
      }
}

TEST_CASE("Many rows share the keys of an fp8 cache, causal or not, whatever the scores") {
  const DType type = GENERATE(DType::f32, DType::bf16);
  for (const std::int64_t queries : {1, 3}) {
    Attention p = forward(type, queries, 1500);
    p.pass = Pass::decode;
    p.heads = 32;
    p.kv_heads = 1;
    p.causal = queries == 3;
    p.fp8_cache = true;
    check(p, queries == 3 ? 1 : 100);
  }
}

// One key: the output is its value, and the logarithm of the only exponential its score.
TEST_CASE("Every code of an fp8 cache is read as its number") {
  const auto number = [](int code) {
    return decode(DType::fp8_e4m3, static_cast<std::uint64_t>(code));
  };
  for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
    const Attention p = {
        .pass = Pass::decode, .dtype = type, .batch = 256, .head_dim = 48, .fp8_cache = true};
    std::vector<HostTensor> in = make_inputs(p, Fill::ones, 1);
    for (int code = 0; code < 256; ++code)
      for (int d = 0; d < 48; ++d) {
        in[1].data[code * 48 + d] = static_cast<std::byte>(d == code % 48 ? code : 0);
        in[2].data[code * 48 + d] = static_cast<std::byte>((code + d) % 256);
      }
    Inputs given;
    for (HostTensor& tensor : in) given.bound.push_back({tensor.operand, tensor.data.data()});
    CpuDevice device;
    for (const InstructionSet set : sets) {
      if (!can_run(set)) continue;
      const auto run = prepare_online_softmax(set, device, p, given);
      run->launch(0);
      const HostTensor o = device.read(run->outputs(0)[0]), lse = device.read(run->outputs(0)[1]);
      for (int code = 0; code < 256; ++code) {
        const double score = number(code) / std::sqrt(48.0);
        INFO(name(type) << ' ' << name(set) << " code " << code);
        if (std::isnan(score)) continue;  // the softmax is of numbers
        CHECK(std::abs(lse.at(code) - score) <= 1e-6 * (1 + std::abs(score)));
        std::int64_t wrong = 0;
        for (int d = 0; d < 48; ++d) {
          const double value = number((code + d) % 256), found = o.at(code * 48 + d);
          wrong += std::isnan(value) ? !std::isnan(found)
                                     : !(std::abs(found - value) <= 1e-6 * std::abs(value));
        }
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("What a row does not compute is declined with a reason") {
  const DeviceInfo cpu;
  const Attention good = {.dtype = DType::bf16};
  CHECK(row("online_softmax").supports(good, cpu).answer == Support::yes);
  CHECK(row("split_keys").supports(good, cpu).answer == Support::foreign);
  Attention odd = good;
  odd.head_dim = 72;
  CHECK(row("online_softmax").supports(odd, cpu).answer == Support::no);
  Attention wide = good;
  wide.dtype = DType::f64;
  CHECK(row("online_softmax").supports(wide, cpu).answer == Support::no);
  Attention narrow = good;
  narrow.pass = Pass::decode;
  narrow.fp8_cache = true;
  CHECK(row("split_keys").supports(narrow, cpu).answer == Support::yes);
  narrow.dtype = DType::f64;
  CHECK(row("split_keys").supports(narrow, cpu).answer == Support::no);
  Attention backward = good;
  backward.pass = Pass::backward;
  CHECK(row("online_softmax").supports(backward, cpu).answer == Support::foreign);
}
