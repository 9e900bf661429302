// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bench/verify.h"
#include "tests/catch.h"

namespace steelyard {

#ifdef STEELYARD_GPU_HIP
Backend hip_backend();
#else
Backend cuda_backend();
#endif

namespace {

// How many problems each kernel of the suite's own was verified on, printed at the end: whoever runs all
// tests of a GPU learns from it that no row of the table was left out.
struct Tally {
  std::map<std::string_view, int> problems;

  Tally() {
    for (const Kernel& kernel : gpu_backend().kernels)
      if (kernel.tier != Tier::library) problems[kernel.name] = 0;
  }
  ~Tally() {
    for (const auto& [kernel, count] : problems) fmt::print("verified {} on {}\n", kernel, count);
  }
};
Tally& tally() {
  static Tally made;
  return made;
}

void check_on_device(const Kernel& kernel, const Truth& truth, const Inputs& inputs) {
  Device& device = gpu_device();
  INFO(fmt::format("{} {} with guard bands of {} bytes", id(truth.problem()), kernel.name,
                   inputs.guard_bytes));
  const auto run = kernel.prepare(device, truth.problem(), inputs);
  for (int copy = 0; copy < run->copies(); ++copy) {
    const Verdict verdict = verify(device, *run, copy, truth);
    INFO(fmt::format("copy {}: error {} of a tolerance of {}: {}", copy, verdict.error,
                     verdict.tolerance, verdict.check));
    CHECK(verdict.ok);
  }
}

void count(const Kernel& kernel) {
  if (const auto own = tally().problems.find(kernel.name); own != tally().problems.end())
    ++own->second;
}

void check_on_device(const Kernel& kernel, const Problem& problem, Fill fill) {
  count(kernel);
  const Truth truth(problem, fill, 42, gpu_device().info().fp8);
  check_on_device(kernel, truth, {.fill = fill, .copies = 2});
  check_on_device(kernel, truth, {.fill = fill, .copies = 1, .guard_bytes = 0});
}

}  // namespace

const Backend& gpu_backend() {
#ifdef STEELYARD_GPU_HIP
  static const Backend backend = hip_backend();
#else
  static const Backend backend = cuda_backend();
#endif
  return backend;
}

Device& gpu_device() {
  static const Found found = gpu_backend().open();
  if (found.devices.empty()) throw std::runtime_error("no GPU device: " + found.absence);
  return *found.devices.front();
}

namespace {

const Kernel& find_row(std::string_view name) {
  const auto kernel = std::ranges::find(gpu_backend().kernels, name, &Kernel::name);
  REQUIRE(kernel != gpu_backend().kernels.end());
  return *kernel;
}

void require_support(const Kernel& kernel, const Problem& problem) {
  const Support support = kernel.supports(problem, gpu_device().info());
  INFO(id(problem) << ": " << support.reason);
  REQUIRE(support.answer == Support::yes);
}

}  // namespace

int check_every_row(const Problem& problem, Fill fill) {
  int rows = 0;
  for (const Kernel& kernel : gpu_backend().kernels)
    if (kernel.supports(problem, gpu_device().info()).answer == Support::yes) {
      check_on_device(kernel, problem, fill);
      ++rows;
    }
  return rows;
}

void check_kernel(const Kernel& kernel, const Problem& problem, Fill fill) {
  require_support(kernel, problem);
  check_on_device(kernel, problem, fill);
}

void check_row(std::string_view name, const Problem& problem, Fill fill) {
  check_kernel(find_row(name), problem, fill);
}

void check_large_row(std::string_view name, const Problem& problem) {
  const Kernel& kernel = find_row(name);
  require_support(kernel, problem);
  count(kernel);
  check_on_device(kernel, Truth(problem, Fill::normal, 42, gpu_device().info().fp8), {.copies = 1});
}

}  // namespace steelyard
