// SPDX-License-Identifier: Apache-2.0
#include "backends/inputs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/catch.h"

using namespace steelyard;

namespace {

Problem array_of(DType type, std::int64_t count) {
  return Memory{.op = MemoryOp::read, .dtype = type, .bytes = count * bits(type) / 8};
}

HostTensor input(const Problem& problem, std::string_view name, Fill fill = Fill::normal,
                 std::uint64_t seed = 1, Encoding encoding = Encoding::ocp) {
  for (HostTensor& tensor : make_inputs(problem, fill, seed, encoding))
    if (tensor.operand.name == name) return std::move(tensor);
  throw std::invalid_argument("no input " + std::string(name));
}

std::vector<double> sample(DType type, Fill fill, std::int64_t count) {
  return input(array_of(type, count), "a", fill).values();
}

double normal_cdf(double x) {
  return std::erfc(-x / std::sqrt(2.0)) / 2;
}

// Kolmogorov and Smirnov: the largest distance between the distribution of a sample and `cdf`.
template <class Cdf>
double largest_distance(std::vector<double> values, Cdf cdf) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = cdf(values[i]), below = static_cast<double>(i) / n;
    distance = std::max({distance, expected - below, below + 1 / n - expected});
  }
  return distance;
}

std::uint64_t fnv1a(const HostBytes& data) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : data)
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3;
  return hash;
}

bool is_permutation_of_iota(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != static_cast<double>(i)) return false;
  return true;
}

}  // namespace

TEST_CASE("Philox gives the known answers of Random123") {
  const struct {
    std::uint64_t counter, stream, seed;
    std::uint32_t answer[4];
  } known[] = {
      {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {~0ull, ~0ull, ~0ull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {0x85a308d3243f6a88,
       0x0370734413198a2e,
       0x299f31d0a4093822,
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& k : known) {
    const Philox random = philox(k.counter, k.stream, k.seed);
    for (int i = 0; i < 4; ++i) CHECK(random.word[i] == k.answer[i]);
  }
}

TEST_CASE("normal values have the moments of the normal distribution") {
  const std::vector<double> values = sample(DType::f64, Fill::normal, 1000000);
  double moment[5] = {};
  for (const double x : values)
    for (int power = 1; power <= 4; ++power) moment[power] += std::pow(x, power) / 1e6;
  // Five standard errors each: the variance of x^k is 1, 2, 15 and 96.
  CHECK(std::abs(moment[1]) < 5e-3 * 1);
  CHECK(std::abs(moment[2] - 1) < 5e-3 * std::sqrt(2));
  CHECK(std::abs(moment[3]) < 5e-3 * std::sqrt(15));
  CHECK(std::abs(moment[4] - 3) < 5e-3 * std::sqrt(96));
}

TEST_CASE("normal values have the published quantiles of the normal distribution") {
  std::vector<double> values = sample(DType::f64, Fill::normal, 1000000);
  std::sort(values.begin(), values.end());
  const std::pair<double, double> quantiles[] = {
      {0.5, 0},          {0.75, 0.674490}, {0.9, 1.281552},   {0.95, 1.644854},
      {0.975, 1.959964}, {0.99, 2.326348}, {0.999, 3.090232}, {0.0005, -3.290527}};
  for (const auto& [p, x] : quantiles) {
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979);
    const double standard_error = std::sqrt(p * (1 - p) / 1e6) / density;
    CHECK(std::abs(values[static_cast<std::size_t>(p * 1e6)] - x) < 4 * standard_error);
  }
}

TEST_CASE("each normal value is the quantile of its own 32 random bits") {
  const std::vector<double> values = sample(DType::f64, Fill::normal, 200000);
  double centre = 0, tail = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint32_t word = philox(i / 4, 0, 1).word[i % 4];
    const double half = ((word & 0x7fffffff) + 0.5) * 0x1p-32;
    const double error = std::abs(normal_cdf(values[i]) - (word >> 31 ? 0.5 - half : 0.5 + half));
    (std::abs(values[i]) < 2 ? centre : tail) =
        std::max(std::abs(values[i]) < 2 ? centre : tail, error);
  }
  CHECK(centre < 5e-9);
  CHECK(tail < 0x1p-16);  // one cell of the table
}

TEST_CASE("normal and uniform values follow their distributions") {
  const double one_percent = 1.63 / 1000;  // critical value for a million values
  CHECK(largest_distance(sample(DType::f64, Fill::normal, 1000000), normal_cdf) < one_percent);
  const auto uniform_cdf = [](double x) { return (x + 1) / 2; };
  const std::vector<double> uniform = sample(DType::f64, Fill::uniform, 1000000);
  CHECK(largest_distance(uniform, uniform_cdf) < one_percent);
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= -1);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) < 1);
}

TEST_CASE("f32 values use all bits of the mantissa") {
  int ones[23] = {};
  for (const double x : sample(DType::f32, Fill::normal, 10000))
    for (int bit = 0; bit < 23; ++bit)
      ones[bit] += std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> bit & 1;
  for (int bit = 0; bit < 20; ++bit) {
    CAPTURE(bit);
    CHECK(std::abs(ones[bit] - 5000) < 250);  // five standard deviations
  }
}

// Taken from the first version that passed all other tests: result files of different releases are
// comparable only while these hold.
TEST_CASE("the bits of the inputs never change") {
  const std::pair<DType, std::uint64_t> hashes[] = {
      {DType::f64, 0x234a33355ea4c91d},  {DType::f32, 0x733bc484388762dd},
      {DType::bf16, 0x2a1186eddb33e12e}, {DType::fp8_e4m3, 0xe874356e95dd8695},
      {DType::int8, 0x49c2e2e9332a4308}, {DType::int4, 0xbee91faa0a5e6849}};
  for (const auto& [type, hash] : hashes) {
    CAPTURE(name(type));
    CHECK(fnv1a(input(array_of(type, 100000), "a", Fill::normal, 42).data) == hash);
  }
}

TEST_CASE("integers are small, of every value alike, and whole in every format") {
  for (const DType type : {DType::f32, DType::fp8_e4m3, DType::int8, DType::int4}) {
    CAPTURE(name(type));
    std::vector<int> count(9);
    for (const double x : sample(type, Fill::integers, 90000)) ++count.at(static_cast<int>(x + 4));
    for (const int n : count) CHECK(std::abs(n - 10000) < 5 * 95);  // five standard deviations
  }
}

TEST_CASE("uniform integers cover their whole range and normal ones are scaled") {
  const std::vector<double> int8 = sample(DType::int8, Fill::uniform, 100000);
  CHECK(std::set<double>(int8.begin(), int8.end()).size() == 256);
  const std::vector<double> int4 = sample(DType::int4, Fill::uniform, 10000);
  CHECK(std::set<double>(int4.begin(), int4.end()).size() == 16);

  double square8 = 0, square4 = 0;
  for (const double x : sample(DType::int8, Fill::normal, 100000)) square8 += x * x / 1e5;
  for (const double x : sample(DType::int4, Fill::normal, 100000)) square4 += x * x / 1e5;
  CHECK(std::sqrt(square8) == Approx(32).epsilon(0.01));
  CHECK(std::sqrt(square4) == Approx(2).epsilon(0.03));  // rounding adds 1/12 to the variance of 4
}

TEST_CASE("ones and zeros are ones and zeros") {
  for (const DType type : {DType::f16, DType::fp8_e5m2, DType::int4}) {
    CHECK(sample(type, Fill::ones, 100) == std::vector<double>(100, 1));
    CHECK(sample(type, Fill::zeros, 100) == std::vector<double>(100, 0));
  }
}

TEST_CASE("no f16 input is denormal, since some matrix units take such numbers as zeros") {
  for (const Fill fill : {Fill::normal, Fill::uniform})
    for (const double x : sample(DType::f16, fill, 1000000))
      if (x != 0 && std::abs(x) < 0x1p-14) FAIL(x);
}

TEST_CASE("fp8 inputs have the same values in both encodings and no negative zero") {
  for (const DType type : {DType::fp8_e4m3, DType::fp8_e5m2})
    for (const Fill fill : {Fill::normal, Fill::uniform, Fill::integers}) {
      const Problem problem = array_of(type, 100000);
      const HostTensor ocp = input(problem, "a", fill, 1, Encoding::ocp);
      const HostTensor fnuz = input(problem, "a", fill, 1, Encoding::fnuz);
      CHECK(ocp.values() == fnuz.values());
      CHECK(ocp.data != fnuz.data);
      CHECK(std::count(ocp.data.begin(), ocp.data.end(), std::byte{0x80}) == 0);
    }
}

TEST_CASE("every element is a function of its place alone") {
  for (const DType type : {DType::f32, DType::fp8_e4m3, DType::int4})
    for (const Fill fill : {Fill::normal, Fill::uniform, Fill::integers}) {
      const Problem large = array_of(type, 20000), small = array_of(type, 4098);
      const HostTensor a = input(large, "a", fill, 7), b = input(small, "a", fill, 7);
      for (const std::int64_t i : {0, 1, 6, 4095, 4096, 4097}) {
        CHECK(a.at(i) == b.at(i));
        CHECK(a.at(i) == input_value(large, 0, i, fill, 7));
      }
    }
}

TEST_CASE("operands and seeds have streams of their own") {
  const Problem triad = Memory{.op = MemoryOp::triad, .dtype = DType::f64, .bytes = 8000};
  const std::vector<double> b = input(triad, "b").values(), c = input(triad, "c").values();
  const std::vector<double> other = input(triad, "b", Fill::normal, 2).values();
  CHECK(std::inner_product(b.begin(), b.end(), c.begin(), 0, std::plus{}, std::equal_to{}) == 0);
  CHECK(std::inner_product(b.begin(), b.end(), other.begin(), 0, std::plus{}, std::equal_to{}) ==
        0);
}

TEST_CASE("positive operands are the magnitudes of the fill") {
  const Problem adamw_step = Layer{.op = LayerOp::adamw, .rows = 10, .columns = 100};
  const std::vector<double> moment = input(adamw_step, "moment2").values();
  CHECK(*std::min_element(moment.begin(), moment.end()) >= 0);
  CHECK(std::accumulate(moment.begin(), moment.end(), 0.0) / 1000 ==
        Approx(std::sqrt(2 / 3.14159265358979)).epsilon(0.1));
}

TEST_CASE("scales lie around 1, and are 1 where the fill is not random") {
  const Problem gemm =
      Gemm{.m = 1000, .n = 8, .k = 8, .a = DType::int8, .b = DType::int8, .scaling = Scaling::w8a8};
  const std::vector<double> scale = input(gemm, "a_scale").values();
  CHECK(largest_distance(scale, [](double x) { return x - 0.5; }) < 1.63 / std::sqrt(1000));
  CHECK(input(gemm, "a_scale", Fill::integers).values() == std::vector<double>(1000, 1));
}

TEST_CASE("indices reach all of their range and nothing else") {
  const Problem gather =
      Layer{.op = LayerOp::embedding_gather, .rows = 1000, .columns = 4, .entries = 50};
  const std::vector<double> ids = input(gather, "ids").values();
  const std::set<double> seen(ids.begin(), ids.end());
  CHECK(seen.size() == 50);
  CHECK(*seen.begin() == 0);
  CHECK(*seen.rbegin() == 49);
}

TEST_CASE("a permutation has every index once, in an order of its seed") {
  const Problem unpermute =
      Layer{.op = LayerOp::unpermute, .rows = 500, .columns = 4, .entries = 8, .choices = 2};
  const std::vector<double> place = input(unpermute, "place").values();
  CHECK(place.size() == 1000);
  CHECK(is_permutation_of_iota(place));
  CHECK_FALSE(std::is_sorted(place.begin(), place.end()));
  CHECK(place != input(unpermute, "place", Fill::normal, 2).values());
  CHECK(input_value(unpermute, 1, 17, Fill::normal, 1) == place[17]);
}

TEST_CASE("every order of a permutation is as likely as every other") {
  const Problem unpermute =
      Layer{.op = LayerOp::unpermute, .rows = 2, .columns = 1, .entries = 2, .choices = 2};
  std::map<std::vector<double>, int> count;
  for (std::uint64_t seed = 0; seed < 2400; ++seed)
    ++count[input(unpermute, "place", Fill::ones, seed).values()];
  CHECK(count.size() == 24);
  for (const auto& [order, n] : count) CHECK(std::abs(n - 100) < 50);  // five standard deviations
}

TEST_CASE("the choices of a row are distinct and every expert is chosen alike") {
  const Problem permute =
      Layer{.op = LayerOp::permute, .rows = 8000, .columns = 4, .entries = 8, .choices = 3};
  const std::vector<double> choice = input(permute, "choice").values();
  std::vector<int> count(8);
  for (std::size_t row = 0; row < 8000; ++row) {
    const auto first = choice.begin() + static_cast<std::ptrdiff_t>(3 * row);
    REQUIRE(std::set<double>(first, first + 3).size() == 3);
    for (int i = 0; i < 3; ++i) ++count.at(static_cast<std::size_t>(first[i]));
  }
  for (const int n : count) CHECK(std::abs(n - 3000) < 5 * 44);  // five standard deviations
}

TEST_CASE("positions end at the last of the context") {
  const Problem rope = Layer{.op = LayerOp::rope, .rows = 5, .columns = 128};
  CHECK(input(rope, "positions").values() == std::vector<double>{0, 1, 2, 3, 4});
}

TEST_CASE("offsets split the rows of a grouped GEMM by its routing") {
  const auto offsets = [](Routing routing, std::int64_t rows, std::int64_t groups) {
    const Gemm gemm = {.m = rows, .n = 1, .k = 1, .groups = groups, .routing = routing};
    return input(gemm, "offsets").values();
  };
  CHECK(offsets(Routing::uniform, 12, 4) == std::vector<double>{0, 3, 6, 9, 12});
  CHECK(offsets(Routing::one_hot, 12, 4) == std::vector<double>{0, 12, 12, 12, 12});
  CHECK(offsets(Routing::zipf, 110, 3) == std::vector<double>{0, 60, 90, 110});  // 1 : 1/2 : 1/3
  const std::vector<double> uneven = offsets(Routing::zipf, 1001, 49);
  CHECK(std::is_sorted(uneven.begin(), uneven.end()));
  CHECK(uneven.front() == 0);
  CHECK(uneven.back() == 1001);
}

TEST_CASE("a cycle visits every line once before it comes back") {
  for (const std::int64_t size : {128, 64, 128 * 777, 128 * 777 + 4}) {
    const Problem chase = Memory{.op = MemoryOp::chase, .bytes = size};
    const std::vector<double> next = input(chase, "next").values();
    const std::size_t lines = static_cast<std::size_t>(size + 127) / 128;
    std::set<std::size_t> visited;
    std::size_t place = 0;
    for (std::size_t step = 0; step < lines; ++step) {
      REQUIRE(place % 32 == 0);
      visited.insert(place);
      place = static_cast<std::size_t>(next.at(place));
    }
    CHECK(visited.size() == lines);
    CHECK(place == 0);
    for (std::size_t i = 0; i < next.size(); ++i)
      if (i % 32 != 0) REQUIRE(next[i] == 0);
  }
}

TEST_CASE("what the forward pass derives is left zero, what a kernel only writes is no input") {
  const Problem backward = Attention{.pass = Pass::backward, .queries = 4, .keys = 4};
  const std::vector<HostTensor> inputs = make_inputs(backward, Fill::normal, 1);
  CHECK(inputs.size() == 6);
  CHECK(input(backward, "lse").values() == std::vector<double>(4, 0));
}

TEST_CASE("the names of the fills are read back") {
  for (const Fill fill : {Fill::normal, Fill::uniform, Fill::integers, Fill::ones, Fill::zeros})
    CHECK(parse_fill(name(fill)) == fill);
  CHECK(parse_fill("uniform") == Fill::uniform);
  CHECK_FALSE(parse_fill("random"));
}
