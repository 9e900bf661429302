// SPDX-License-Identifier: Apache-2.0
// What the tests of the library tier share: problems that show a wrong transpose, stride, type, mask or
// scalar, and a way to talk to a double.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "backends/problem.h"

namespace steelyard {

// The function of a double that the program has opened already.
template <class Function>
Function* function_of(const char* double_name, const char* name) {
  void* opened = dlopen(double_name, RTLD_NOW | RTLD_NOLOAD);
  void* found = opened == nullptr ? nullptr : dlsym(opened, name);
  if (found == nullptr) throw std::runtime_error(std::string("no double has a function ") + name);
  return reinterpret_cast<Function*>(found);
}

// Every layout on three different sides, with C overwritten and added to.
inline std::vector<Gemm> gemms(DType input, DType output) {
  std::vector<Gemm> all;
  for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
    for (const auto& [alpha, beta] : {std::pair{1., 0.}, {-2., 3.}})
      all.push_back({.m = 20,
                     .n = 28,
                     .k = 36,
                     .a = input,
                     .b = input,
                     .c = output,
                     .layout = layout,
                     .alpha = alpha,
                     .beta = beta});
  return all;
}

// Masks and none, heads of their own and shared ones, as many keys as queries and more.
inline std::vector<Attention> attentions(Pass pass, DType type) {
  std::vector<Attention> all;
  for (const bool causal : {false, true})
    for (const std::int64_t kv_heads : {4, 2})
      for (const std::int64_t keys : {12, 17})
        all.push_back({.pass = pass,
                       .dtype = type,
                       .batch = 2,
                       .heads = 4,
                       .kv_heads = kv_heads,
                       .queries = 12,
                       .keys = keys,
                       .head_dim = 16,
                       .causal = causal});
  return all;
}

}  // namespace steelyard
