// SPDX-License-Identifier: Apache-2.0
// Verdicts on attention and streams: right kernels pass, wrong ones do not. GEMM is in
// harness_test.
#include "bench/verify.h"

#include <algorithm>
#include <cmath>

#include "tests/catch.h"
#include "tests/judge.h"

namespace steelyard {
namespace {

// What a plain attention kernel may get wrong.
struct Faults {
  std::int64_t mask_shift = 0;    // sees so many keys too many
  std::int64_t missing_keys = 0;  // leaves out so many at the end
  double scale = 1;               // of the scores
  bool lse_base2 = false;
  bool kv_head_of_next = false;
};

// bf16 in and out, f32 scores and sums, probabilities rounded to bf16: what fast kernels do.
void attend(const Attention& p, const Faults& faults, const Arguments& arguments) {
  const auto at = [&](std::string_view name, std::int64_t i) {
    return static_cast<float>(load(DType::bf16, arguments.data(name), i));
  };
  const std::int64_t group = p.heads / p.kv_heads;
  for (std::int64_t h = 0; h < p.heads; ++h)
    for (std::int64_t i = 0; i < p.queries; ++i) {
      const std::int64_t kv = (h / group + faults.kv_head_of_next) % p.kv_heads;
      const std::int64_t visible =
          p.causal ? i + p.keys - p.queries + 1 + faults.mask_shift : p.keys;
      const std::int64_t keys = std::min(visible, p.keys) - faults.missing_keys;
      std::vector<float> score(keys);
      for (std::int64_t j = 0; j < keys; ++j) {
        float dot = 0;
        for (std::int64_t d = 0; d < p.head_dim; ++d)
          dot += at("q", (i * p.heads + h) * p.head_dim + d) *
                 at("k", (j * p.kv_heads + kv) * p.head_dim + d);
        score[j] = dot * static_cast<float>(faults.scale / std::sqrt(p.head_dim));
      }
      const float largest = *std::ranges::max_element(score);
      float sum = 0;
      for (float& s : score) sum += s = std::exp(s - largest);
      for (std::int64_t d = 0; d < p.head_dim; ++d) {
        float value = 0;
        for (std::int64_t j = 0; j < keys; ++j)
          value += static_cast<float>(round_to(DType::bf16, score[j])) *
                   at("v", (j * p.kv_heads + kv) * p.head_dim + d);
        store(DType::bf16, arguments.data("o"), (i * p.heads + h) * p.head_dim + d, value / sum);
      }
      const float lse = largest + std::log(sum);
      arguments.get<float>("lse")[h * p.queries + i] =
          faults.lse_base2 ? lse / std::log(2.0F) : lse;
    }
}

constexpr Attention attention = {.dtype = DType::bf16,
                                 .heads = 4,
                                 .kv_heads = 2,
                                 .queries = 96,
                                 .keys = 160,
                                 .head_dim = 64,
                                 .causal = true};

Verdict judge_attention(const Faults& faults) {
  return judge(attention, [faults](const Arguments& a) { attend(attention, faults, a); });
}

TEST_CASE("a right attention kernel passes with room to spare") {
  const Verdict verdict = judge_attention({});
  CHECK(verdict.ok);
  CHECK(verdict.error < 0.8);
}

TEST_CASE("attention faults that look plausible are found") {
  CHECK_FALSE(judge_attention({.mask_shift = 1}).ok);
  CHECK_FALSE(judge_attention({.mask_shift = -1}).ok);
  CHECK_FALSE(judge_attention({.missing_keys = 1}).ok);
  CHECK_FALSE(judge_attention({.scale = 1.02}).ok);
  CHECK_FALSE(judge_attention({.lse_base2 = true}).ok);
  CHECK_FALSE(judge_attention({.kv_head_of_next = true}).ok);
}

// Every element of o off by `share` of the largest error that rounding causes, up or down.
Verdict judge_shifted(double share) {
  const Truth truth(attention, Fill::normal, Inputs{}.seed, Encoding::ocp);
  return judge(attention, [&](const Arguments& arguments) {
    attend(attention, {}, arguments);
    const Expected& o = truth.exact()[0];
    for (std::size_t i = 0; i < o.values.size(); ++i)
      store(DType::bf16, arguments.data("o"), static_cast<std::int64_t>(i),
            o.values[i] + (i % 2 ? share : -share) * truth.unavoidable()[0].largest);
  });
}

TEST_CASE("an attention kernel that is off by its bound everywhere does more than round") {
  CHECK(judge_shifted(0).ok);
  const Verdict verdict = judge_shifted(0.95);
  CHECK_FALSE(verdict.ok);
  CHECK_THAT(verdict.check, ContainsSubstring("the norm of the error is above its cap"));
}

// What a plain kernel of the gradients may get wrong beside.
struct GradientFaults {
  Faults forward = {};
  bool no_d = false;            // dS = P dP
  bool last_head_only = false;  // of those that share a K and V
  double ds = 1;
};

// bf16 in and out, P and dS rounded to bf16, f32 everything else.
void differentiate(const Attention& p, const GradientFaults& faults, const Arguments& arguments) {
  const auto at = [&](std::string_view name, std::int64_t i) {
    return static_cast<float>(load(DType::bf16, arguments.data(name), i));
  };
  const auto rounded = [](float x) { return static_cast<float>(round_to(DType::bf16, x)); };
  const std::int64_t group = p.heads / p.kv_heads, width = p.head_dim;
  const float scale = static_cast<float>(faults.forward.scale / std::sqrt(p.head_dim));
  std::vector<double> dq(p.queries * p.heads * width), dk(p.keys * p.kv_heads * width), dv(dk);
  for (std::int64_t h = 0; h < p.heads; ++h)
    for (std::int64_t i = 0; i < p.queries; ++i) {
      const std::int64_t kv = (h / group + faults.forward.kv_head_of_next) % p.kv_heads;
      const std::int64_t keys =
          std::min(i + p.keys - p.queries + 1 + faults.forward.mask_shift, p.keys) -
          faults.forward.missing_keys;
      const std::int64_t q = (i * p.heads + h) * width;
      const auto row = [&](std::int64_t j) { return (j * p.kv_heads + kv) * width; };
      const auto product = [&](std::string_view x, std::string_view y, std::int64_t j) {
        float sum = 0;
        for (std::int64_t d = 0; d < width; ++d) sum += at(x, q + d) * at(y, row(j) + d);
        return sum;
      };
      std::vector<float> weight(keys), dp(keys);
      float sum = 0, mean = 0;  // scores are small: no maximum is needed
      for (std::int64_t j = 0; j < keys; ++j)
        sum += weight[j] = std::exp(product("q", "k", j) * scale);
      for (std::int64_t j = 0; j < keys; ++j)
        mean += weight[j] / sum * (dp[j] = product("do", "v", j));
      if (faults.no_d) mean = 0;
      for (std::int64_t j = 0; j < keys; ++j) {
        const float ds = rounded(weight[j] / sum * (dp[j] - mean)) * scale;
        const bool counts = !faults.last_head_only || h % group == group - 1;
        for (std::int64_t d = 0; d < width; ++d) {
          dq[q + d] += faults.ds * ds * at("k", row(j) + d);
          dk[row(j) + d] += counts * faults.ds * ds * at("q", q + d);
          dv[row(j) + d] += counts * rounded(weight[j] / sum) * at("do", q + d);
        }
      }
    }
  store(DType::bf16, arguments.data("dq"), dq);
  store(DType::bf16, arguments.data("dk"), dk);
  store(DType::bf16, arguments.data("dv"), dv);
}

Verdict judge_gradients(const GradientFaults& faults) {
  Attention p = attention;
  p.pass = Pass::backward;
  return judge(p, [=](const Arguments& a) { differentiate(p, faults, a); });
}

TEST_CASE("right gradients of attention pass with room to spare") {
  const Verdict verdict = judge_gradients({});
  CHECK(verdict.ok);
  CHECK(verdict.error < 0.8);
}

TEST_CASE("faults of gradients that look plausible are found") {
  CHECK_FALSE(judge_gradients({.forward = {.mask_shift = 1}}).ok);
  CHECK_FALSE(judge_gradients({.forward = {.mask_shift = -1}}).ok);
  CHECK_FALSE(judge_gradients({.forward = {.missing_keys = 1}}).ok);
  CHECK_FALSE(judge_gradients({.forward = {.scale = 1.02}}).ok);
  CHECK_FALSE(judge_gradients({.forward = {.kv_head_of_next = true}}).ok);
  CHECK_FALSE(judge_gradients({.no_d = true}).ok);
  CHECK_FALSE(judge_gradients({.last_head_only = true}).ok);
  CHECK_FALSE(judge_gradients({.ds = 1.02}).ok);
}

constexpr std::int64_t stream_bytes = 1 << 16;

Verdict judge_triad(double scalar, std::int64_t left_out, double offset) {
  const Memory triad = {MemoryOp::triad, DType::f64, stream_bytes};
  return judge(triad, [=](const Arguments& arguments) {
    auto* a = arguments.get<double>("a");
    for (std::int64_t i = 0; i < stream_bytes / 8 - left_out; ++i)
      a[i] = arguments.get<double>("b")[i] + scalar * arguments.get<double>("c")[i] + offset;
  });
}

TEST_CASE("triad is checked element by element") {
  CHECK(judge_triad(stream_scalar, 0, 0).ok);
  CHECK_FALSE(judge_triad(stream_scalar, 1, 0).ok);
  CHECK_FALSE(judge_triad(stream_scalar * (1 + 1e-12), 0, 0).ok);
  CHECK_FALSE(judge_triad(stream_scalar, 0, 1e-14).ok);
}

TEST_CASE("a copy has no tolerance") {
  const Memory copy = {MemoryOp::copy, DType::f32, stream_bytes};
  const auto copier = [](std::uint32_t flipped) {
    return [flipped](const Arguments& arguments) {
      for (std::int64_t i = 0; i < stream_bytes / 4; ++i)
        arguments.get<std::uint32_t>("c")[i] = arguments.get<std::uint32_t>("a")[i];
      arguments.get<std::uint32_t>("c")[99] ^= flipped;
    };
  };
  CHECK(judge(copy, copier(0)).ok);
  CHECK_FALSE(judge(copy, copier(1)).ok);
}

TEST_CASE("a chase that stops early ends elsewhere") {
  const Memory chase = {MemoryOp::chase, DType::int32, 4096};
  const auto chaser = [&](std::int64_t short_by) {
    return [=](const Arguments& arguments) {
      std::int32_t at = 0;
      for (std::int64_t i = 0; i < chase_steps(chase) - short_by; ++i)
        at = arguments.get<std::int32_t>("next")[at];
      *arguments.get<std::int32_t>("last") = at;
    };
  };
  CHECK(judge(chase, chaser(0)).ok);
  CHECK_FALSE(judge(chase, chaser(1)).ok);
}

TEST_CASE("verdicts on fp8 name its encoding, others do not") {
  const auto verdict = [](DType in, Encoding encoding) {
    const Gemm p = {.m = 4, .n = 4, .k = 4, .a = in, .b = in, .c = DType::f32};
    const Truth truth(p, Fill::normal, 1, encoding);
    cpu::CpuDevice device;
    const auto run = cpu::make_run(p, {}, [](const Arguments&) {});
    return verify(device, *run, 0, truth).check;
  };
  CHECK_THAT(verdict(DType::fp8_e4m3, Encoding::fnuz), ContainsSubstring("fp8 is fnuz"));
  CHECK_THAT(verdict(DType::fp8_e5m2, Encoding::ocp), ContainsSubstring("fp8 is ocp"));
  CHECK(verdict(DType::bf16, Encoding::ocp).find("fp8") == std::string::npos);
}

TEST_CASE("what the last launch left is judged without launching again") {
  const Gemm p = {.m = 8, .n = 8, .k = 8, .a = DType::f32, .b = DType::f32, .c = DType::f32};
  int launches = 0;
  cpu::CpuDevice device;
  const auto run = cpu::make_run(p, {}, [&](const Arguments& arguments) {
    ++launches;
    for (std::int64_t i = 0; i < 8; ++i)
      for (std::int64_t j = 0; j < 8; ++j) {
        double sum = 0;
        for (std::int64_t l = 0; l < 8; ++l)
          sum += static_cast<double>(arguments.get<float>("a")[i * 8 + l]) *
                 arguments.get<float>("b")[l * 8 + j];
        arguments.get<float>("c")[i * 8 + j] = static_cast<float>(sum);
      }
  });
  const Truth truth(p, Fill::normal, Inputs{}.seed, Encoding::ocp);
  run->reset(0);
  CHECK_FALSE(check(device, *run, 0, truth).ok);  // poison
  launch_once(device, *run, 0);
  CHECK(check(device, *run, 0, truth).ok);
  const std::size_t first = fingerprint(device, *run, 0);
  launch_once(device, *run, 0);
  CHECK(fingerprint(device, *run, 0) == first);
  CHECK(launches == 2);
  run->reset(0);
  CHECK(fingerprint(device, *run, 0) != first);
  CHECK_FALSE(updates_in_place(*run));
}

}  // namespace
}  // namespace steelyard
