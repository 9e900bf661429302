// SPDX-License-Identifier: Apache-2.0
// Budgets of what emulated AMD GPUs count: memory that streaming kernels touch, matrix instructions and
// LDS bank conflicts of GEMM. STEELYARD_EMULATE_COUNTS names the file of the counts.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "backends/problem.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"

using namespace steelyard;

namespace {

// Sums over the GPU functions that one launch of a Run consists of.
struct Counts {
  double bytes_touched = 0, matrix_passes = 0, loop_conflicts = 0;
  int launches = 0;
};

std::streamoff counted_so_far(std::ifstream& file) {
  file.clear();
  file.seekg(0, std::ios::end);
  return file.tellg();
}

Counts counts_of(const Kernel& kernel, const Problem& problem) {
  const auto run = kernel.prepare(gpu_device(), problem, {.copies = 1});
  std::ifstream file(std::getenv("STEELYARD_EMULATE_COUNTS"));
  (void)gpu_device().read(run->outputs(0).front());  // waits for what prepares the operands
  const std::streamoff before = counted_so_far(file);
  run->launch(0);
  (void)gpu_device().read(run->outputs(0).front());
  Counts counts;
  file.seekg(before);
  for (std::string line; std::getline(file, line); ++counts.launches) {
    const auto launch = nlohmann::json::parse(line);
    counts.bytes_touched +=
        launch.at("bytes_read").get<double>() + launch.at("bytes_written").get<double>();
    counts.matrix_passes += launch.at("matrix_passes").get<double>();
    counts.loop_conflicts += launch.at("lds_loop_conflict_cycles").get<double>();
  }
  return counts;
}

// f(kernel, counts) for every kernel of the suite's own that takes the problem.
template <class F>
void for_each_row(const Problem& problem, F f) {
  int rows = 0;
  for (const Kernel& kernel : gpu_backend().kernels)
    if (kernel.tier != Tier::library &&
        kernel.supports(problem, gpu_device().info()).answer == Support::yes) {
      INFO(id(problem) << ' ' << kernel.name << " on " << gpu_device().info().name);
      const Counts counts = counts_of(kernel, problem);
      REQUIRE(counts.launches > 0);
      f(kernel, counts);
      ++rows;
    }
  INFO(id(problem));
  CHECK(rows > 0);
}

// Lines of 128 bytes: whole ones are touched where a tensor begins or ends within one.
void check_traffic(const Problem& problem, int tensors) {
  for_each_row(problem, [&](const Kernel& kernel, const Counts& counts) {
    const double least = work(problem).bytes, most = 1.05 * least + 2 * 128 * tensors;
    UNSCOPED_INFO(
        fmt::format("{} touches {} bytes of {}", kernel.name, counts.bytes_touched, least));
    CHECK(counts.bytes_touched <= most);
    CHECK(counts.bytes_touched >= 0.95 * least);  // else something is not counted
  });
}

bool is_mi250() {
  return gpu_device().info().architecture == "gfx90a";
}

// Floating-point operations of a pass, 4 clocks of one of a compute unit's 4 matrix units: the peak rate
// of a compute unit in operations per clock, as AMD publishes it ("AMD CDNA 2" and "AMD CDNA 3" white
// papers). 0: the device has no such instruction.
double operations_per_pass(DType type) {
  switch (type) {
    case DType::bf16:
    case DType::f16:
      return is_mi250() ? 1024 : 2048;
    case DType::f64:
      return 256;
    case DType::tf32:
      return is_mi250() ? 0 : 1024;
    case DType::int8:
      return is_mi250() ? 1024 : 4096;
    case DType::fp8_e4m3:
    case DType::fp8_e5m2:
      return is_mi250() ? 0 : 4096;
    default:
      return 0;
  }
}

Gemm gemm(DType type, Layout layout, std::int64_t m, std::int64_t n, std::int64_t k) {
  const bool narrow = type == DType::fp8_e4m3 || type == DType::fp8_e5m2;
  const DType output = type == DType::int8 ? DType::int32 : narrow ? DType::bf16 : type;
  return {.m = m, .n = n, .k = k, .a = type, .b = type, .c = output, .layout = layout};
}

constexpr DType matrix_types[] = {DType::bf16, DType::f16,      DType::f64,     DType::tf32,
                                  DType::int8, DType::fp8_e4m3, DType::fp8_e5m2};

}  // namespace

TEST_CASE("streams touch the memory that they must, and no more") {
  using enum MemoryOp;
  for (const MemoryOp op : {read, write, copy, mul, add, triad, dot})
    check_traffic(Memory{op, DType::f32, 1 << 20}, 3);
}

TEST_CASE("layers touch the memory that they must, and no more") {
  using enum LayerOp;
  const auto layer = [](LayerOp op, Pass pass = Pass::forward) {
    return Layer{.op = op, .pass = pass, .dtype = DType::bf16, .rows = 128, .columns = 4096};
  };
  for (const LayerOp op : {rms_norm, layer_norm, swiglu, gelu, bias_add, residual_add, amax,
                           quantise, dequantise, adamw})
    check_traffic(layer(op), 8);
  for (const LayerOp op : {swiglu, gelu}) check_traffic(layer(op, Pass::backward), 8);
}

TEST_CASE("GEMM issues the matrix instructions that the problem has, and no more") {
  for (const DType type : matrix_types) {
    if (operations_per_pass(type) == 0) continue;
    const Problem problem = gemm(type, Layout::nt, 256, 256, 512);
    for_each_row(problem, [&](const Kernel& kernel, const Counts& counts) {
      if (kernel.name == "tile")
        CHECK(counts.matrix_passes * operations_per_pass(type) == work(problem).flops);
    });
  }
}

TEST_CASE("the aligned tile loop of GEMM has no conflicts of LDS banks") {
  for (const DType type : matrix_types)
    for (const Layout layout : {Layout::nt, Layout::nn, Layout::tn}) {
      if (operations_per_pass(type) == 0) continue;
      // 8-bit factors that do not lie along the depth are transposed on their way.
      if (bits(type) == 8 && layout != Layout::nt) continue;
      for_each_row(gemm(type, layout, 256, 256, 512),
                   [&](const Kernel&, const Counts& counts) { CHECK(counts.loop_conflicts == 0); });
    }
}
