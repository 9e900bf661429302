// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include "tests/catch.h"
#include "tests/oracle.h"

namespace steelyard {
namespace {

constexpr Gemm f64 = {.m = 5, .n = 7, .k = 3, .a = DType::f64, .b = DType::f64, .c = DType::f64};

Gemm with(Gemm gemm, Layout layout) {
  gemm.layout = layout;
  return gemm;
}

// [rows, columns] to [columns, rows]
Values transposed(const Values& x, std::int64_t rows, std::int64_t columns) {
  Values result(x.size());
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) result[c * rows + r] = x[r * columns + c];
  return result;
}

// The three indices of C = A B element by element, by the definition of the product.
template <class A, class B>
Values product(std::int64_t m, std::int64_t n, std::int64_t k, A a, B b) {
  Values c;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t l = k - 1; l >= 0; --l) sum += a(i, l) * b(l, j);
      c.push_back(sum);
    }
  return c;
}

std::vector<HostTensor> random_inputs(const Problem& problem) {
  return make_inputs(problem, Fill::uniform, 7);
}

}  // namespace

TEST_CASE("a permutation matrix permutes the rows of B") {
  const Gemm p = {.m = 4, .n = 3, .k = 4, .a = DType::f32, .b = DType::f32, .c = DType::f32};
  auto inputs = random_inputs(p);
  set(inputs, "a", {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0});
  const Values b = get(inputs, "b");
  Values expected;
  for (const int row : {2, 0, 3, 1})
    for (int j = 0; j < 3; ++j) expected.push_back(b[row * 3 + j]);
  CHECK(truth(p, inputs, "c") == expected);
}

TEST_CASE("the Hilbert matrix times its integer inverse is the identity") {
  const Gemm p = {.m = 4, .n = 4, .k = 4, .a = DType::f64, .b = DType::f64, .c = DType::f64};
  auto inputs = random_inputs(p);
  Values hilbert, identity;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      hilbert.push_back(1.0 / (i + j + 1));
      identity.push_back(i == j);
    }
  set(inputs, "a", hilbert);
  set(inputs, "b",
      {16, -120, 240, -140, -120, 1200, -2700, 1680, 240, -2700, 6480, -4200, -140, 1680, -4200,
       2800});
  CHECK(largest_difference(truth(p, inputs, "c"), identity) < 1e-12);
}

TEST_CASE("powers of whole numbers sum to the known closed forms") {
  const std::int64_t k = 1000;  // sum of l^2 and of l^3 for l < k
  const Gemm p = {.m = 2, .n = 1, .k = k, .a = DType::f64, .b = DType::f64, .c = DType::f64};
  auto inputs = random_inputs(p);
  Values a(2 * k), b(k);
  std::iota(b.begin(), b.end(), 0);
  for (std::int64_t l = 0; l < k; ++l) {
    a[l] = b[l];
    a[k + l] = -b[l] * b[l];
  }
  set(inputs, "a", a);
  set(inputs, "b", b);
  const Values sums = {332833500, -249500250000};
  const auto all = reference(p, inputs);
  const Expected& c = find(all, "c");
  CHECK(c.values == sums);
  CHECK(c.magnitudes == Values{332833500, 249500250000});
  CHECK(c.terms == k);
}

TEST_CASE("the layouts store the same matrices in other orders") {
  auto inputs = random_inputs(f64);
  const Values a = get(inputs, "a"), b = get(inputs, "b");
  const Values c = truth(f64, inputs, "c");

  const Gemm nt = with(f64, Layout::nt), tn = with(f64, Layout::tn);
  auto nt_inputs = random_inputs(nt), tn_inputs = random_inputs(tn);
  set(nt_inputs, "a", a);
  set(nt_inputs, "b", transposed(b, f64.k, f64.n));
  set(tn_inputs, "a", transposed(a, f64.m, f64.k));
  set(tn_inputs, "b", b);
  CHECK(truth(nt, nt_inputs, "c") == c);
  CHECK(truth(tn, tn_inputs, "c") == c);
}

TEST_CASE("the transposed product is the product of the transposed factors in reverse") {
  auto inputs = random_inputs(f64);
  const Gemm swapped = {
      .m = f64.n, .n = f64.m, .k = f64.k, .a = DType::f64, .b = DType::f64, .c = DType::f64};
  auto other = random_inputs(swapped);
  set(other, "a", transposed(get(inputs, "b"), f64.k, f64.n));
  set(other, "b", transposed(get(inputs, "a"), f64.m, f64.k));
  CHECK(truth(swapped, other, "c") == transposed(truth(f64, inputs, "c"), f64.m, f64.n));
}

TEST_CASE("alpha scales the product and beta the old C, in values and magnitudes") {
  Gemm p = f64;
  auto plain_inputs = random_inputs(p);
  const Expected plain = reference(p, plain_inputs).front();
  p.alpha = -2;
  p.beta = 0.5;
  auto inputs = random_inputs(p);
  set(inputs, "a", get(plain_inputs, "a"));
  set(inputs, "b", get(plain_inputs, "b"));
  const Values old = get(inputs, "c");
  const Expected c = reference(p, inputs).front();
  for (std::size_t i = 0; i < old.size(); ++i) {
    CHECK(c.values[i] == Approx(-2 * plain.values[i] + 0.5 * old[i]).margin(1e-14));
    CHECK(c.magnitudes[i] == Approx(2 * plain.magnitudes[i] + 0.5 * std::abs(old[i])));
  }
}

TEST_CASE("every type of A and B is decoded, and whole numbers stay exact") {
  struct Types {
    DType a, b, c;
  };
  const auto [a, b, c] = GENERATE(
      Types{DType::bf16, DType::bf16, DType::bf16}, Types{DType::f16, DType::f16, DType::f32},
      Types{DType::fp8_e4m3, DType::fp8_e5m2, DType::bf16},
      Types{DType::int8, DType::int8, DType::int32}, Types{DType::tf32, DType::tf32, DType::f32});
  const Gemm p = {.m = 3, .n = 2, .k = 4, .a = a, .b = b, .c = c};
  auto inputs = random_inputs(p);
  set(inputs, "a", {1, 2, 3, 4, -4, -3, -2, -1, 1, -1, 1, -1});
  set(inputs, "b", {1, 0, 0, 1, 2, -2, 3, 4});
  CHECK(truth(p, inputs, "c") == Values{19, 12, -11, -3, 0, -7});
}

TEST_CASE("a grouped product is one product per group on its own rows") {
  Gemm p = f64;
  p.m = 12;
  p.groups = 4;
  p.layout = GENERATE(Layout::nn, Layout::nt);
  auto inputs = random_inputs(p);
  const Values offsets = {0, 5, 5, 6, 12};  // the second group is empty
  set(inputs, "offsets", offsets);
  const Values a = get(inputs, "a"), b = get(inputs, "b");
  Values expected;
  for (int g = 0; g < 4; ++g) {
    Gemm one = f64;
    one.layout = p.layout;
    one.m = static_cast<std::int64_t>(offsets[g + 1] - offsets[g]);
    if (one.m == 0) continue;
    auto part = random_inputs(one);
    const auto a_row = a.begin() + static_cast<std::int64_t>(offsets[g]) * p.k;
    set(part, "a", Values(a_row, a_row + one.m * p.k));
    set(part, "b", Values(b.begin() + g * p.k * p.n, b.begin() + (g + 1) * p.k * p.n));
    for (const double value : truth(one, part, "c")) expected.push_back(value);
  }
  CHECK(truth(p, inputs, "c") == expected);
}

TEST_CASE("w8a8 scales rows of A and columns of B") {
  const DType type = GENERATE(DType::int8, DType::fp8_e4m3);
  const Gemm p = {.m = 3,
                  .n = 4,
                  .k = 5,
                  .a = type,
                  .b = type,
                  .c = DType::bf16,
                  .layout = Layout::nt,
                  .scaling = Scaling::w8a8};
  auto inputs = random_inputs(p);
  const Values a = get(inputs, "a"), b = get(inputs, "b");
  const Values row = get(inputs, "a_scale"), column = get(inputs, "b_scale");
  Values expected = product(
      p.m, p.n, p.k, [&](auto i, auto l) { return a[i * p.k + l]; },
      [&](auto l, auto j) { return b[j * p.k + l]; });
  for (std::size_t e = 0; e < expected.size(); ++e) expected[e] *= row[e / 4] * column[e % 4];
  CHECK(largest_difference(truth(p, inputs, "c"), expected) < 1e-9);
}

TEST_CASE("w4a16 scales blocks of 128 along k, the last one shorter") {
  const Gemm p = {.m = 2,
                  .n = 3,
                  .k = 300,
                  .a = DType::bf16,
                  .b = DType::int4,
                  .c = DType::bf16,
                  .layout = GENERATE(Layout::nn, Layout::nt),
                  .scaling = Scaling::w4a16};
  auto inputs = random_inputs(p);
  const Values a = get(inputs, "a"), b = get(inputs, "b"), scale = get(inputs, "b_scale");
  REQUIRE(scale.size() == 9);
  const bool transposed_b = p.layout == Layout::nt;
  Values expected(p.m * p.n);
  for (std::int64_t block = 0; block < 3; ++block) {
    const std::int64_t first = block * 128, length = std::min<std::int64_t>(128, p.k - first);
    const Values part = product(
        p.m, p.n, length, [&](auto i, auto l) { return a[i * p.k + first + l]; },
        [&](auto l, auto j) {
          return transposed_b ? b[j * p.k + first + l] : b[(first + l) * p.n + j];
        });
    for (std::size_t e = 0; e < part.size(); ++e) expected[e] += part[e] * scale[block * 3 + e % 3];
  }
  CHECK(largest_difference(truth(p, inputs, "c"), expected) < 1e-11);
}

TEST_CASE("sampled elements are those of the whole product") {
  Gemm p = {.m = 70, .n = 90, .k = 20, .a = DType::bf16, .b = DType::bf16, .c = DType::f32};
  p.layout = GENERATE(Layout::nn, Layout::nt, Layout::tn);
  p.groups = p.layout == Layout::tn ? 1 : 3;
  p.beta = 1;
  const auto inputs = random_inputs(p);
  const Expected all = reference(p, inputs).front(), some = reference(p, inputs, 500).front();
  REQUIRE(all.elements.empty());
  REQUIRE(some.elements == sample(some.operand, 500));
  for (std::size_t s = 0; s < some.elements.size(); ++s) {
    CHECK(some.values[s] == all.values[some.elements[s]]);
    CHECK(some.magnitudes[s] == all.magnitudes[some.elements[s]]);
  }
}

TEST_CASE("values are rounded to the stored type only when asked") {
  const Gemm p = {.m = 1, .n = 1, .k = 2, .a = DType::bf16, .b = DType::bf16, .c = DType::bf16};
  auto inputs = random_inputs(p);
  set(inputs, "a", {1, 1});
  set(inputs, "b", {256, 1});
  CHECK(reference(p, inputs).front().values == Values{257});
  CHECK(reference(p, inputs, 0, Rounding::storage).front().values == Values{256});
}

TEST_CASE("problems without outputs have no truth") {
  CHECK(reference(Launch{}, {}).empty());
  CHECK(reference(Transformer{}, {}).empty());
}

TEST_CASE("a missing input is named") {
  CHECK_THROWS_WITH(reference(f64, {}), "reference: no input named a");
}

TEST_CASE("a small output is sampled whole, a large one within its budget and the same each time") {
  CHECK(sample({.shape = {3, 4}}, 12).size() == 12);
  const Operand large = {.shape = {3, 1000, 700}};
  const auto chosen = sample(large, 2000);
  CHECK(chosen == sample(large, 2000));
  CHECK(chosen.size() <= 2000);
  CHECK(chosen.size() > 1900);
  CHECK(std::ranges::adjacent_find(chosen, std::greater_equal{}) == chosen.end());
  CHECK(chosen.front() == 0);
  CHECK(chosen.back() == 3 * 1000 * 700 - 1);
}

TEST_CASE("samples lie in the corners and on both sides of tile edges") {
  const std::int64_t rows = 1000, columns = 700;
  const auto chosen = sample({.shape = {rows, columns}}, 2000);
  const auto has = [&](std::int64_t row, std::int64_t column) {
    return std::ranges::binary_search(chosen, row * columns + column);
  };
  CHECK((has(0, columns - 1) && has(rows - 1, 0)));
  for (const std::int64_t tile : {16, 32, 64, 128, 256}) {
    for (std::int64_t edge = tile; edge < columns; edge += tile)
      CHECK((has(0, edge - 1) && has(0, edge) && has(rows - 1, edge - 1) && has(rows - 1, edge)));
    for (std::int64_t edge = tile; edge < rows; edge += tile)
      CHECK((has(edge - 1, 0) && has(edge, 0) && has(edge - 1, columns - 1) &&
             has(edge, columns - 1)));
  }
}

TEST_CASE("samples reach every column of a matrix and all parts of a long array") {
  std::vector<int> seen(700);
  for (const std::int64_t e : sample({.shape = {1000, 700}}, 4000)) ++seen[e % 700];
  CHECK(std::ranges::count(seen, 0) == 0);

  const std::int64_t length = std::int64_t{1} << 30;
  const auto chosen = sample({.shape = {length}}, 1000);
  for (std::size_t i = 1; i < chosen.size(); ++i) CHECK(chosen[i] - chosen[i - 1] < length / 100);
}

}  // namespace steelyard
