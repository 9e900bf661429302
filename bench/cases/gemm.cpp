// SPDX-License-Identifier: Apache-2.0
#include "bench/suites.h"

namespace steelyard {
namespace {

Gemm gemm(DType type, Layout layout, std::int64_t m, std::int64_t n, std::int64_t k) {
  return {.m = m,
          .n = n,
          .k = k,
          .a = type,
          .b = type,
          .c = type == DType::int8 ? DType::int32 : type,
          .layout = layout};
}

constexpr std::initializer_list<DType> all_types = {
    DType::f64, DType::f32, DType::tf32, DType::bf16, DType::f16, DType::fp8_e4m3, DType::int8};

// The linear layers of Llama-3-8B on `tokens` rows (fused QKV, output, gate and up, down): N, K.
void llama_8b(std::vector<Problem>& all, DType type, std::int64_t tokens) {
  struct Linear {
    std::int64_t n, k;
  };
  for (const auto& [n, k] :
       {Linear{6144, 4096}, Linear{4096, 4096}, Linear{28672, 4096}, Linear{4096, 14336}})
    all.push_back(gemm(type, Layout::nt, tokens, n, k));
}

std::vector<Problem> problems(Suite suite) {
  std::vector<Problem> all;
  switch (suite) {
    case Suite::quick:
      for (const DType type : {DType::f32, DType::bf16, DType::f16, DType::int8})
        all.push_back(gemm(type, Layout::nn, 1024, 1024, 1024));
      all.push_back(gemm(DType::f64, Layout::nn, 768, 768, 768));
      for (const DType type : {DType::f32, DType::bf16}) {
        all.push_back(gemm(type, Layout::nn, 2048, 2048, 2048));
        all.push_back(gemm(type, Layout::nt, 1024, 1024, 1024));
        all.push_back(gemm(type, Layout::tn, 1024, 1024, 1024));
      }
      all.push_back(gemm(DType::bf16, Layout::nt, 8, 4096, 4096));
      break;
    case Suite::gate:
      for (const DType type : {DType::f32, DType::bf16, DType::int8})
        all.push_back(gemm(type, Layout::nn, 1024, 1024, 1024));
      all.push_back(gemm(DType::bf16, Layout::nt, 8, 4096, 4096));
      break;
    case Suite::standard:
      for (const DType type : all_types)
        for (const std::int64_t size : {1024, 2048, 4096})
          all.push_back(gemm(type, Layout::nt, size, size, size));
      for (const Layout layout : {Layout::nn, Layout::tn})
        all.push_back(gemm(DType::bf16, layout, 4096, 4096, 4096));
      for (const std::int64_t tokens : {1, 16, 128, 2048}) llama_8b(all, DType::bf16, tokens);
      break;
    case Suite::full:
      for (const DType type : all_types)
        for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
          for (std::int64_t size = 256; size <= 16384; size *= 2)
            all.push_back(gemm(type, layout, size, size, size));
      for (const DType type : {DType::bf16, DType::fp8_e4m3})
        for (const std::int64_t tokens : {1, 4, 16, 64, 256, 2048, 8192})
          llama_8b(all, type, tokens);
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
