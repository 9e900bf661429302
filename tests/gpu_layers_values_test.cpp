// SPDX-License-Identifier: Apache-2.0
// Layer kernels of a GPU on values that no fill makes: far positions, masked logits, equal ids,
// every tie between numbers of 8 bits.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/tolerance.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"
#include "tests/gpu_values.h"
#include "tests/oracle.h"

using namespace steelyard;

namespace {

constexpr DType types[] = {DType::f32, DType::bf16, DType::f16};
constexpr DType narrow_types[] = {DType::fp8_e4m3, DType::fp8_e5m2, DType::int8};

Encoding encoding() {
  return gpu_device().info().fp8;
}

void check_outputs(const Layer& p, const std::vector<HostTensor>& inputs) {
  const std::vector<HostTensor> outputs = compute(p, inputs);
  const std::vector<Expected> expected = reference(p, inputs);
  REQUIRE(outputs.size() == expected.size());
  for (std::size_t n = 0; n < outputs.size(); ++n)
    for (std::size_t i = 0; i < expected[n].values.size(); ++i) {
      const double found = outputs[n].at(static_cast<std::int64_t>(i));
      const double wanted = expected[n].values[i], allowed = tolerance(p, expected[n], i, 0);
      INFO(fmt::format("{} {}[{}]: {} for {} +- {}", id(p), expected[n].operand.name, i, found,
                       wanted, allowed));
      CHECK((found == wanted || std::abs(found - wanted) <= allowed));
    }
}

std::vector<HostTensor> inputs_of(const Layer& p, Fill fill = Fill::normal) {
  return make_inputs(p, fill, 1, encoding());
}

}  // namespace

TEST_CASE("rotary embedding is exact at positions far beyond any context") {
  for (const DType type : types)
    for (const Pass pass : {Pass::forward, Pass::backward}) {
      const Layer p = {.op = LayerOp::rope, .pass = pass, .dtype = type, .rows = 6, .columns = 256};
      auto inputs = inputs_of(p);
      set(inputs, "positions", {0, 1, 99999, 1048576, 16777217, 2147483647});
      check_outputs(p, inputs);
    }
}

TEST_CASE("losses take large and masked logits") {
  for (const DType type : types)
    for (const double shift : {0., 5000., -5000.})
      for (const std::int64_t columns : {70, 72})
        for (const auto& [op, pass] : {std::pair{LayerOp::cross_entropy, Pass::forward},
                                       {LayerOp::cross_entropy, Pass::backward},
                                       {LayerOp::log_probabilities, Pass::forward}}) {
          const Layer p = {.op = op, .pass = pass, .dtype = type, .rows = 2, .columns = columns};
          auto inputs = inputs_of(p);
          Values logits = get(inputs, "logits");
          for (double& logit : logits) logit = round_to(type, logit + shift);
          for (std::int64_t masked = 0; masked < 66; masked += 3) logits[masked] = -INFINITY;
          logits[columns + 1] = -INFINITY;
          set(inputs, "logits", logits);
          set(inputs, "ids", {7, static_cast<double>(columns - 1)});
          check_outputs(p, inputs);
        }
}

TEST_CASE("activations keep their limits far from zero") {
  const Values far = {0,    -0.0, 1e-30, 20,   -20,  87,    -87,   88.5,
                      -103, 103,  700,   -700, 3000, -3000, 60000, -60000};
  for (const DType type : types)
    for (const LayerOp op : {LayerOp::swiglu, LayerOp::gelu})
      for (const Pass pass : {Pass::forward, Pass::backward}) {
        const Layer p = {.op = op, .pass = pass, .dtype = type, .rows = 2, .columns = 8};
        auto inputs = inputs_of(p, Fill::ones);
        set(inputs, op == LayerOp::gelu ? "x" : "gate", far);
        check_outputs(p, inputs);
      }
}

TEST_CASE("rows of one id add up in the gradient of an embedding") {
  for (const DType type : types) {
    const Layer p = {
        .op = LayerOp::embedding_scatter, .dtype = type, .rows = 300, .columns = 40, .entries = 3};
    auto inputs = inputs_of(p);
    set(inputs, "ids", Values(300, 1));
    check_outputs(p, inputs);
  }
}

TEST_CASE("every token may choose the same experts") {
  const Layer p = {.op = LayerOp::permute, .rows = 600, .columns = 8, .entries = 9, .choices = 2};
  auto inputs = inputs_of(p);
  Values choice;
  for (int token = 0; token < 600; ++token) choice.insert(choice.end(), {7, 2});
  set(inputs, "choice", choice);
  check_outputs(p, inputs);
}

TEST_CASE("rows of the largest and of the smallest numbers are quantised") {
  for (const DType quantised : narrow_types)
    for (const double factor : {0x1p-125, 0x1p-90, 0x1p-64, 0x1p120}) {
      const Layer p = {.op = LayerOp::quantise,
                       .dtype = DType::f32,
                       .rows = 2,
                       .columns = 40,
                       .quantised = quantised};
      auto inputs = inputs_of(p, Fill::uniform);
      Values x = get(inputs, "x");
      for (double& value : x) value *= factor;
      set(inputs, "x", x);
      check_outputs(p, inputs);
    }
}

// All finite numbers of a format of 8 bits, what lies half way between two, and both sides of it.
TEST_CASE("every value of 8 bits and every tie between two is quantised as it should be") {
  for (const DType type : narrow_types) {
    Values values;
    for (int code = 0; code < 256; ++code)
      if (const double value = decode(type, static_cast<std::uint64_t>(code), encoding());
          std::isfinite(value))
        values.push_back(value);
    std::ranges::sort(values);
    if (type == DType::int8) values.erase(values.begin());  // -128: a scale of 1 has amax 127
    Values x = values;
    for (std::size_t i = 1; i < values.size(); ++i) {
      const auto tie = static_cast<float>((values[i - 1] + values[i]) / 2);
      for (const float to : {tie, std::nextafter(tie, -1e9f), std::nextafter(tie, 1e9f)})
        x.push_back(to);
    }
    for (const bool whole_packets : {false, true}) {
      while (x.size() % 4 != (whole_packets ? 0 : 1)) x.push_back(0);
      const Layer p = {.op = LayerOp::quantise,
                       .dtype = DType::f32,
                       .rows = 1,
                       .columns = static_cast<std::int64_t>(x.size()),
                       .quantised = type};
      auto inputs = inputs_of(p);
      set(inputs, "x", x);
      const Values q = compute(p, inputs).at(0).values();
      std::int64_t wrong = 0;
      for (std::size_t i = 0; i < x.size(); ++i) wrong += q[i] != round_to(type, x[i], encoding());
      INFO(id(p));
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("a token of an fp8 cache is rounded to nearest, ties to even, and saturates") {
  const double largest = max_value(DType::fp8_e4m3, encoding());
  Values x = {largest, largest * 1.03, largest * 1.1, 60000, -largest, -60000, INFINITY, -INFINITY};
  for (int code = 0; code < 0x7e; ++code) {
    const auto number = [](int which) {
      return decode(DType::fp8_e4m3, static_cast<std::uint64_t>(which), encoding());
    };
    const double low = number(code), tie = (low + number(code + 1)) / 2;
    x.insert(x.end(), {low, -low, tie, -tie});
  }
  for (const DType type : types)
    for (const bool whole_packets : {false, true}) {
      while (x.size() % 8 != (whole_packets ? 0 : 1)) x.push_back(0);
      const auto width = static_cast<std::int64_t>(x.size());
      const Layer p = {.op = LayerOp::cache_append,
                       .dtype = type,
                       .rows = 1,
                       .columns = width,
                       .head_dim = width,
                       .entries = 3,
                       .fp8_cache = true};
      auto inputs = inputs_of(p);
      set(inputs, "v", x);
      set(inputs, "positions", {1});
      Values expected = get(inputs, "v_cache");
      const Values tokens = get(inputs, "v");
      for (std::int64_t i = 0; i < width; ++i)
        expected[width + i] = round_to(DType::fp8_e4m3, tokens[i], encoding());
      INFO(id(p));
      CHECK(compute(p, inputs).at(1).values() == expected);
      CHECK(expected[width + 3] == largest);
    }
}

TEST_CASE("every pattern of 8 bits is dequantised as it should be") {
  for (const DType quantised : narrow_types)
    for (const DType type : types) {
      const Layer p = {.op = LayerOp::dequantise,
                       .dtype = type,
                       .rows = 1,
                       .columns = 256,
                       .quantised = quantised};
      auto inputs = inputs_of(p, Fill::ones);
      for (std::size_t code = 0; code < 256; ++code)
        inputs[0].data[code] = static_cast<std::byte>(code);
      const Values x = compute(p, inputs).at(0).values();
      std::int64_t wrong = 0;
      for (std::size_t code = 0; code < 256; ++code) {
        const double value = decode(quantised, code, encoding());
        const bool same =
            x[code] == round_to(type, value) || (std::isnan(value) && std::isnan(x[code]));
        wrong += !same;
      }
      INFO(id(p));
      CHECK(wrong == 0);
    }
}

namespace {

// The plain arithmetic of devices without conversions, in one encoding.
template <gpu::Fp8Format format>
void check_fp8(DType type, Encoding encoding) {
  std::int64_t wrong = 0;
  for (std::size_t code = 0; code < 256; ++code) {
    const double value = decode(type, code, encoding);
    const float found = gpu::decode_fp8<format>(static_cast<std::uint8_t>(code));
    wrong += !(found == value || (std::isnan(found) && std::isnan(value)));
  }
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 9973) {
    const float value = gpu::float_of(static_cast<std::uint32_t>(bits));
    wrong += gpu::encode_fp8<format>(value) != encode(type, value, encoding);
  }
  INFO(fmt::format("{} {}", name(type), name(encoding)));
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("fp8 is converted by plain arithmetic as it should be, in both encodings") {
  check_fp8<gpu::e4m3_ocp>(DType::fp8_e4m3, Encoding::ocp);
  check_fp8<gpu::e5m2_ocp>(DType::fp8_e5m2, Encoding::ocp);
  check_fp8<gpu::e4m3_fnuz>(DType::fp8_e4m3, Encoding::fnuz);
  check_fp8<gpu::e5m2_fnuz>(DType::fp8_e5m2, Encoding::fnuz);
}
