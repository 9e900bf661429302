// SPDX-License-Identifier: Apache-2.0
// Layer kernels of the CPU on values that no fill has: far, masked, undefined, half way between two
// numbers.
#include "tests/cpu_layers.h"

namespace {

// Launches every variant on given inputs: the first output of each.
template <class Check>
void for_each_output(const Layer& p, std::vector<HostTensor>& inputs, Check check) {
  Inputs given;
  for (HostTensor& tensor : inputs) given.bound.push_back({tensor.operand, tensor.data.data()});
  for (const Variant& variant : variants()) {
    INFO(id(p) << ' ' << describe(variant));
    const auto run = prepare_of(p)(variant, device(), p, given);
    run->launch(0);
    check(device().read(run->outputs(0)[0]).values());
  }
}

}  // namespace

TEST_CASE("activations have no overflow and keep their limits far from zero") {
  const Values far = {0, -0.0, 1e-30, 20, -20, 80, -80, 200, -200, 3000, -3000, 60000, -60000};
  const Size size = {1, static_cast<std::int64_t>(far.size())};
  for (const DType type : all_types)
    for (const LayerOp op : {LayerOp::swiglu, LayerOp::gelu})
      for (const Pass pass : {Pass::forward, Pass::backward}) {
        const Layer p = layer(op, type, size, pass);
        auto inputs = make_inputs(p, Fill::ones, 1);
        set(inputs, op == LayerOp::gelu ? "x" : "gate", far);
        check_all_variants(p, inputs);
      }
}

TEST_CASE("losses take large and masked logits") {
  for (const DType type : all_types)
    for (const LayerOp op : {LayerOp::cross_entropy, LayerOp::log_probabilities})
      for (const double shift : {0., 5000., -5000.}) {
        Layer p = layer(op, type, {1, 70});
        auto inputs = make_inputs(p, Fill::normal, 1);
        Values logits = get(inputs, "logits");
        for (double& logit : logits) logit = round_to(type, logit + shift);
        for (const int masked : {1, 40, 69}) logits[masked] = -INFINITY;
        set(inputs, "logits", logits);
        set(inputs, "ids", {7});
        check_all_variants(p, inputs);
        if (op == LayerOp::log_probabilities) continue;
        p.pass = Pass::backward;
        inputs[0].operand = operands(p)[0];
        check_all_variants(p, inputs);
      }
}

TEST_CASE("rotary embedding is exact at positions far beyond any context") {
  for (const DType type : types_up_to_f32) {
    Layer p = layer(LayerOp::rope, type, {4, 128});
    auto inputs = make_inputs(p, Fill::normal, 1);
    set(inputs, "positions", {100000, 1048576, 16777217, 2147483647});
    check_all_variants(p, inputs);
  }
}

TEST_CASE("NaN stays NaN where it is, in every type and variant") {
  for (const DType type : all_types)
    for (const LayerOp op : {LayerOp::residual_add, LayerOp::swiglu, LayerOp::gelu}) {
      const Layer p = layer(op, type, {1, 40});
      auto inputs = make_inputs(p, Fill::ones, 1);
      Values x(40, 1);
      x[3] = x[39] = NAN;
      set(inputs, op == LayerOp::swiglu ? "gate" : "x", x);
      for_each_output(p, inputs, [&](const Values& y) {
        for (int i = 0; i < 40; ++i) CHECK(std::isnan(y[i]) == std::isnan(x[i]));
      });
    }
}

TEST_CASE("a NaN among logits makes its row's loss NaN, and no other") {
  for (const DType type : all_types) {
    const Layer p = layer(LayerOp::cross_entropy, type, {3, 50});
    auto inputs = make_inputs(p, Fill::ones, 1);
    Values logits(150, 1);
    logits[70] = NAN;
    set(inputs, "logits", logits);
    for_each_output(p, inputs, [](const Values& loss) {
      for (int row = 0; row < 3; ++row) CHECK(std::isnan(loss[row]) == (row == 1));
    });
  }
}

// All finite numbers of a format of 8 bits, what lies half way between two, and both sides of it.
TEST_CASE("every value of 8 bits and every tie between two is quantised as it should be") {
  for (const DType type : {DType::fp8_e4m3, DType::fp8_e5m2, DType::int8}) {
    Values values;
    for (int code = 0; code < 256; ++code)
      if (const double value = decode(type, code); std::isfinite(value)) values.push_back(value);
    std::ranges::sort(values);
    if (type == DType::int8) values.erase(values.begin());  // -128: a scale of 1 has amax 127
    Values x = values;
    for (std::size_t i = 1; i < values.size(); ++i) {
      const auto tie = static_cast<float>((values[i - 1] + values[i]) / 2);
      for (const float to : {tie, std::nextafter(tie, -1e9f), std::nextafter(tie, 1e9f)})
        x.push_back(to);
    }
    Layer p = layer(LayerOp::quantise, DType::f32, {1, static_cast<std::int64_t>(x.size())});
    p.quantised = type;
    auto inputs = make_inputs(p, Fill::ones, 1);
    set(inputs, "x", x);
    for_each_output(p, inputs, [&](const Values& q) {
      std::int64_t wrong = 0;
      for (std::size_t i = 0; i < x.size(); ++i) wrong += q[i] != round_to(type, x[i]);
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE("a token of an fp8 cache is rounded to nearest, ties to even, and saturates") {
  Values x = {448, 463.9, 464, 465, 1e4, 60000, -448, -500, -60000, INFINITY, -INFINITY, 0, -0.0};
  for (int code = 0; code < 0x7e; ++code) {
    const double low = decode(DType::fp8_e4m3, static_cast<std::uint64_t>(code));
    const double tie = (low + decode(DType::fp8_e4m3, static_cast<std::uint64_t>(code) + 1)) / 2;
    x.insert(x.end(), {low, -low, tie, -tie});
  }
  for (const DType type : types_up_to_f32)
    for (const std::int64_t page_size : {0, 4}) {
      Layer p = layer(LayerOp::cache_append, type, {1, static_cast<std::int64_t>(x.size())});
      p.page_size = page_size;
      p.fp8_cache = true;
      auto inputs = make_inputs(p, Fill::ones, 1);
      Values k = x;
      k.back() = NAN;
      set(inputs, "k", k);
      const Values stored = get(inputs, "k"), before = get(inputs, "k_cache");
      set(inputs, "positions", {3});
      const std::int64_t width = p.columns;
      const std::int64_t line =
          page_size == 0 ? 3 : static_cast<std::int64_t>(get(inputs, "page_table")[0]) * 4 + 3;
      for_each_output(p, inputs, [&](const Values& cache) {
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < std::ssize(cache); ++i) {
          if (i / width != line) {
            wrong += cache[i] != before[i];
            continue;
          }
          const double token = stored[i % width];
          wrong += std::isnan(token) ? !std::isnan(cache[i])
                                     : cache[i] != round_to(DType::fp8_e4m3, token);
        }
        CHECK(wrong == 0);
        CHECK(cache[line * width + 4] == 448);
        CHECK(cache[line * width + 10] == -448);
      });
    }
}

TEST_CASE("every pattern of 8 bits is dequantised as it should be") {
  for (const DType quantised : {DType::fp8_e4m3, DType::fp8_e5m2, DType::int8})
    for (const DType type : types_up_to_f32) {
      Layer p = layer(LayerOp::dequantise, type, {1, 256});
      p.quantised = quantised;
      auto inputs = make_inputs(p, Fill::ones, 1);
      for (int code = 0; code < 256; ++code) inputs[0].data[code] = static_cast<std::byte>(code);
      for_each_output(p, inputs, [&](const Values& x) {
        for (int code = 0; code < 256; ++code) {
          const double value = decode(quantised, code);
          CHECK((std::isnan(value) ? std::isnan(x[code]) : x[code] == round_to(type, value)));
        }
      });
    }
}

TEST_CASE("every operation and pass has one kernel, and types it lacks are named") {
  std::vector<Kernel> kernels;
  for (const auto table : {elementwise_kernels(), norm_kernels(), rope_kernels(), loss_kernels(),
                           embedding_kernels(), routing_kernels(), quantise_kernels()})
    kernels.insert(kernels.end(), table.begin(), table.end());
  const auto answers = [&](const Problem& p, Support::Answer answer) {
    return std::ranges::count(kernels, answer, [&](const Kernel& kernel) {
      return kernel.supports(p, device().info()).answer;
    });
  };
  for (int op = 0; op <= static_cast<int>(LayerOp::adamw); ++op)
    for (const Pass pass : {Pass::forward, Pass::backward}) {
      Layer p = layer(static_cast<LayerOp>(op), DType::bf16, {2, 6}, pass);
      INFO(id(p));
      const int wanted = fault(p).empty() ? 1 : 0;
      CHECK(answers(p, Support::yes) == wanted);
      p.dtype = DType::fp8_e4m3;
      const bool moves_any_type = p.op == LayerOp::embedding_gather || p.op == LayerOp::permute ||
                                  p.op == LayerOp::cache_append;
      CHECK(answers(p, Support::no) == (moves_any_type ? 0 : wanted));
    }
  Layer append = layer(LayerOp::cache_append, DType::f64, {2, 6});
  append.fp8_cache = true;
  CHECK(embedding_kernels()[1].supports(append, device().info()).reason ==
        "the portable CPU kernel does not compute cache_append in f64 and fp8_e4m3");
  CHECK(answers(Gemm{}, Support::foreign) == std::ssize(kernels));
  Layer p = layer(LayerOp::quantise, DType::f64, {2, 6});
  CHECK(quantise_kernels()[1].supports(p, device().info()).reason ==
        "the portable CPU kernel does not compute quantise in f64 and fp8_e4m3");
}
