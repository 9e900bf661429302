// SPDX-License-Identifier: Apache-2.0
#include "bench/suites.h"

namespace steelyard {
namespace {

// 8-bit products are summed in a wider type, which is then C's; libraries return f32 from tf32.
DType output_of(DType type) {
  if (type == DType::tf32) return DType::f32;
  if (type == DType::int8) return DType::int32;
  return type == DType::fp8_e4m3 ? DType::bf16 : type;
}

Gemm of_type(DType type) {
  return {.a = type, .b = type, .c = output_of(type)};
}

// Quantised layers between bf16 ones: 8-bit activations and weights, or int4 weights alone.
Gemm w8a8(DType type) {
  return {.a = type, .b = type, .c = DType::bf16, .scaling = Scaling::w8a8};
}
constexpr Gemm w4a16 = {
    .a = DType::bf16, .b = DType::int4, .c = DType::bf16, .scaling = Scaling::w4a16};

Gemm sized(Gemm like, Layout layout, std::int64_t m, std::int64_t n, std::int64_t k) {
  like.layout = layout;
  like.m = m;
  like.n = n;
  like.k = k;
  return like;
}

Gemm gemm(DType type, Layout layout, std::int64_t m, std::int64_t n, std::int64_t k) {
  return sized(of_type(type), layout, m, n, k);
}

constexpr std::initializer_list<DType> all_types = {
    DType::f64, DType::f32, DType::tf32, DType::bf16, DType::f16, DType::fp8_e4m3, DType::int8};

// The linear layers of Llama-3-8B on `tokens` rows (fused QKV, output, gate and up, down): N, K.
void llama_8b(std::vector<Problem>& all, const Gemm& like, std::int64_t tokens) {
  struct Linear {
    std::int64_t n, k;
  };
  for (const auto& [n, k] :
       {Linear{6144, 4096}, Linear{4096, 4096}, Linear{28672, 4096}, Linear{4096, 14336}})
    all.push_back(sized(like, Layout::nt, tokens, n, k));
}

// Every token goes to two of eight experts.
Gemm experts(Routing routing, std::int64_t tokens, std::int64_t n, std::int64_t k) {
  Gemm p = gemm(DType::bf16, Layout::nt, 2 * tokens, n, k);
  p.groups = 8;
  p.routing = routing;
  return p;
}

// The experts of Mixtral-8x7B: gate and up, down.
void mixtral(std::vector<Problem>& all, Routing routing, std::int64_t tokens) {
  all.push_back(experts(routing, tokens, 28672, 4096));
  all.push_back(experts(routing, tokens, 4096, 14336));
}

void quick(std::vector<Problem>& all) {
  for (const DType type : {DType::f32, DType::bf16, DType::f16, DType::int8})
    all.push_back(gemm(type, Layout::nn, 1024, 1024, 1024));
  all.push_back(gemm(DType::f64, Layout::nn, 768, 768, 768));
  for (const DType type : {DType::f32, DType::bf16}) {
    all.push_back(gemm(type, Layout::nn, 2048, 2048, 2048));
    all.push_back(gemm(type, Layout::nt, 1024, 1024, 1024));
    all.push_back(gemm(type, Layout::tn, 1024, 1024, 1024));
  }
  all.push_back(gemm(DType::bf16, Layout::nt, 8, 4096, 4096));
  all.push_back(sized(w4a16, Layout::nt, 8, 4096, 4096));
  all.push_back(experts(Routing::zipf, 512, 1024, 1024));
}

void standard(std::vector<Problem>& all) {
  for (const DType type : all_types)
    for (const std::int64_t size : {1024, 2048, 4096})
      all.push_back(gemm(type, Layout::nt, size, size, size));
  for (const Layout layout : {Layout::nn, Layout::tn})
    all.push_back(gemm(DType::bf16, layout, 4096, 4096, 4096));
  for (const std::int64_t tokens : {1, 16, 128, 2048}) llama_8b(all, of_type(DType::bf16), tokens);
  for (const std::int64_t tokens : {1, 16, 2048}) llama_8b(all, w4a16, tokens);
  for (const DType type : {DType::int8, DType::fp8_e4m3})
    for (const std::int64_t tokens : {16, 2048}) llama_8b(all, w8a8(type), tokens);
  for (const Routing routing : {Routing::uniform, Routing::zipf})
    for (const std::int64_t tokens : {8, 2048}) mixtral(all, routing, tokens);
}

void full(std::vector<Problem>& all) {
  for (const DType type : all_types)
    for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
      for (std::int64_t size = 256; size <= 16384; size *= 2)
        all.push_back(gemm(type, layout, size, size, size));
  for (const Gemm& like : {of_type(DType::bf16), of_type(DType::fp8_e4m3), w8a8(DType::int8),
                           w8a8(DType::fp8_e4m3), w4a16})
    for (const std::int64_t tokens : {1, 4, 16, 64, 256, 2048, 8192}) llama_8b(all, like, tokens);
  for (const Routing routing : {Routing::uniform, Routing::zipf, Routing::one_hot})
    for (const std::int64_t tokens : {8, 64, 512, 2048, 8192}) mixtral(all, routing, tokens);
}

std::vector<Problem> problems(Suite suite) {
  std::vector<Problem> all;
  switch (suite) {
    case Suite::quick:
      quick(all);
      break;
    case Suite::gate:
      for (const DType type : {DType::f32, DType::bf16, DType::int8})
        all.push_back(gemm(type, Layout::nn, 1024, 1024, 1024));
      all.push_back(gemm(DType::bf16, Layout::nt, 8, 4096, 4096));
      break;
    case Suite::standard:
      standard(all);
      break;
    case Suite::full:
      full(all);
      break;
  }
  return all;
}

}  // namespace

const Family& gemm_family() {
  static const Family family = {
      "gemm", problems,
      Gemm{.m = 1024, .n = 1024, .k = 1024, .a = DType::bf16, .b = DType::bf16, .c = DType::bf16}};
  return family;
}

}  // namespace steelyard
