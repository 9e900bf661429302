// SPDX-License-Identifier: Apache-2.0
#include "tests/planted_kernels.h"

#include <algorithm>
#include <memory>

#include "backends/cpu/run.h"

namespace steelyard {
namespace {

// C[m,n] = A[m,k] B[k,n] in f64, rounded once.
void multiply(const Gemm& p, const Arguments& arguments) {
  const auto* a = arguments.get<const float>("a");
  const auto* b = arguments.get<const float>("b");
  auto* c = arguments.get<float>("c");
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = 0;
      for (std::int64_t l = 0; l < p.k; ++l)
        sum += static_cast<double>(a[i * p.k + l]) * static_cast<double>(b[l * p.n + j]);
      c[i * p.n + j] = static_cast<float>(p.alpha * sum);
    }
}

using Fault = void (*)(const Gemm& p, const Arguments& arguments, int launch);

void swapped_columns(const Gemm& p, const Arguments& arguments, int) {
  auto* c = arguments.get<float>("c");
  for (std::int64_t i = 0; i < p.m; ++i) std::swap(c[i * p.n], c[i * p.n + 1]);
}

void missing_last_k(const Gemm& p, const Arguments& arguments, int) {
  const auto* a = arguments.get<const float>("a");
  const auto* b = arguments.get<const float>("b");
  auto* c = arguments.get<float>("c");
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j)
      c[i * p.n + j] -= a[i * p.k + p.k - 1] * b[(p.k - 1) * p.n + j];
}

void wrong_element(const Gemm& p, const Arguments& arguments, int) {
  arguments.get<float>("c")[p.m * p.n / 2] += 0.5F;
}

void half_precision(const Gemm& p, const Arguments& arguments, int) {
  auto* c = arguments.get<float>("c");
  for (std::int64_t i = 0; i < p.m * p.n; ++i)
    c[i] = static_cast<float>(round_to(DType::f16, static_cast<double>(c[i])));
}

void writes_input(const Gemm&, const Arguments& arguments, int) {
  arguments.get<float>("a")[3] += 1;
}

void writes_behind(const Gemm& p, const Arguments& arguments, int) {
  arguments.get<float>("c")[p.m * p.n] = 1;
}

void throws(const Gemm&, const Arguments&, int) {
  throw std::runtime_error("planted failure");
}

void loses_device(const Gemm&, const Arguments&, int launch) {
  if (launch > 2) throw DeviceLost("planted: the device fell off the bus");
}

Support supports(const Gemm& p, const DeviceInfo&) {
  if (p.a == DType::f32 && p.layout == Layout::nn) return {};
  return {Support::no, "planted kernels take f32 nn"};
}

template <Fault fault>
std::unique_ptr<Run> prepare(cpu::CpuDevice&, const Gemm& p, const Inputs& inputs) {
  auto launch = std::make_shared<int>(0);
  return cpu::make_run(p, inputs, [p, launch](const Arguments& arguments) {
    multiply(p, arguments);
    if (fault != nullptr) fault(p, arguments, ++*launch);
  });
}

// The tile stays as it was: poisoned, where the harness poisons.
std::unique_ptr<Run> prepare_unwritten_tile(cpu::CpuDevice&, const Gemm& p, const Inputs& inputs) {
  return cpu::make_run(p, inputs, [p](const Arguments& arguments) {
    auto* c = arguments.get<float>("c");
    std::vector<float> tile(16);
    for (int i = 0; i < 16; ++i) tile[i] = c[(i / 4) * p.n + i % 4];
    multiply(p, arguments);
    for (int i = 0; i < 16; ++i) c[(i / 4) * p.n + i % 4] = tile[i];
  });
}

// Right the first two times (the checks before timing), then the output is left alone.
std::unique_ptr<Run> prepare_stale_output(cpu::CpuDevice&, const Gemm& p, const Inputs& inputs) {
  auto launches = std::make_shared<int>(0);
  return cpu::make_run(p, inputs, [p, launches](const Arguments& arguments) {
    if (++*launches <= 2) multiply(p, arguments);
  });
}

}  // namespace

const std::vector<Kernel>& planted_kernels() {
  static const std::vector<Kernel> all = {
      kernel<supports, prepare<nullptr>>(planted_correct, Tier::portable),
      kernel<supports, prepare<swapped_columns>>("swapped_columns", Tier::portable),
      kernel<supports, prepare<missing_last_k>>("missing_last_k", Tier::portable),
      kernel<supports, prepare_unwritten_tile>("unwritten_tile", Tier::portable),
      kernel<supports, prepare_stale_output>("stale_output", Tier::portable),
      kernel<supports, prepare<wrong_element>>("wrong_element", Tier::portable),
      kernel<supports, prepare<half_precision>>("half_precision", Tier::portable),
      kernel<supports, prepare<writes_input>>("writes_input", Tier::portable),
      kernel<supports, prepare<writes_behind>>("writes_behind", Tier::portable),
      kernel<supports, prepare<throws>>("throws", Tier::portable),
      kernel<supports, prepare<loses_device>>("loses_device", Tier::portable)};
  return all;
}

Backend planted_backend(const std::vector<std::string_view>& names) {
  Backend backend = {.name = "cpu", .open = [] {
                       Found found;
                       found.devices.push_back(std::make_unique<cpu::CpuDevice>());
                       return found;
                     }};
  for (const Kernel& kernel : planted_kernels())
    if (names.empty() || std::ranges::count(names, kernel.name) > 0)
      backend.kernels.push_back(kernel);
  return backend;
}

}  // namespace steelyard
