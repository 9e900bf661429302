// SPDX-License-Identifier: Apache-2.0
// OpenBLAS, opened when the first row asks for it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "backends/cpu/instruction_set.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/run.h"
#include "backends/cpu/threads.h"
#include "backends/library.h"

namespace steelyard::cpu {
namespace {

// cblas.h: order, transpositions, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc.
template <class T>
using CblasGemm = void(int, int, int, int, int, int, T, const T*, int, const T*, int, T, T*, int);

constexpr int row_major = 101, plain = 111, transposed = 112;

// OpenBLAS knows only the CPUs that are older than itself and takes others for an old one, at half
// the speed or less. It reads this variable when it is opened; what the user has set stays.
void name_core_type() {
  if (can_run(InstructionSet::v4))
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
  else if (can_run(InstructionSet::v3))
    setenv("OPENBLAS_CORETYPE", __builtin_cpu_is("amd") ? "Zen" : "Haswell", 0);
}

struct OpenBlas {
  Library library = (name_core_type(), Library{"libopenblas.so.0", "libopenblas.so"});
  CblasGemm<float>* sgemm = library.find<CblasGemm<float>>("cblas_sgemm");
  CblasGemm<double>* dgemm = library.find<CblasGemm<double>>("cblas_dgemm");
  void (*set_num_threads)(int) = library.find<void(int)>("openblas_set_num_threads");
  char* (*config)() = library.find<char*()>("openblas_get_config");
  char* (*core_name)() = library.find<char*()>("openblas_get_corename");
};

OpenBlas& openblas() {
  static OpenBlas opened;
  return opened;
}

Support supports(const Gemm& p, const DeviceInfo&) {
  if (p.groups > 1 || p.scaling != Scaling::none)
    return {Support::no, "BLAS has neither grouped nor scaled GEMM"};
  if (p.a != p.b || p.a != p.c || (p.a != DType::f32 && p.a != DType::f64))
    return {Support::no, fmt::format("OpenBLAS multiplies f32 and f64, not {} by {} into {}",
                                     name(p.a), name(p.b), name(p.c))};
  if (std::max({p.m, p.n, p.k}) > std::numeric_limits<int>::max())
    return {Support::no, "OpenBLAS counts in 32 bits"};
  if (const std::string& missing = openblas().library.missing(); !missing.empty())
    return {Support::no, fmt::format("{}: install libopenblas0", missing)};
  return {};
}

template <class T>
Body multiply(CblasGemm<T>* gemm, const Gemm& p) {
  return [=](const Arguments& arguments) {
    const auto m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
    const bool ta = p.layout == Layout::tn, tb = p.layout == Layout::nt;
    gemm(row_major, ta ? transposed : plain, tb ? transposed : plain, m, n, k,
         static_cast<T>(p.alpha), arguments.get<T>("a"), ta ? m : k, arguments.get<T>("b"),
         tb ? k : n, static_cast<T>(p.beta), arguments.get<T>("c"), n);
  };
}

std::unique_ptr<Run> prepare(CpuDevice& device, const Gemm& p, const Inputs& inputs) {
  const OpenBlas& blas = openblas();
  blas.set_num_threads(device.info().compute_units);
  Body body = p.a == DType::f64 ? multiply(blas.dgemm, p) : multiply(blas.sgemm, p);
  return make_run(p, inputs, std::move(body),
                  fmt::format("{}, core type {}", blas.config(), blas.core_name()));
}

}  // namespace

std::span<const Kernel> openblas_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("openblas", Tier::library)};
  return table;
}

}  // namespace steelyard::cpu
