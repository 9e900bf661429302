// SPDX-License-Identifier: Apache-2.0
// rocBLAS, opened when the first row asks for it: rocblas_gemm_ex with the solution that the library
// takes of itself.
#include "backends/hip/rocblas_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "backends/gpu/column_major.h"
#include "backends/gpu/device.h"
#include "backends/gpu/vendor_library.h"
#include "backends/hip/kernels.h"

namespace steelyard::hip {

std::string RocBlas::version() const {
  std::array<char, 128> text{};
  if (get_version(text.data(), text.size()) != 0) return "rocBLAS";
  return fmt::format("rocBLAS {}", text.data());
}

namespace {

constexpr std::size_t workspace_bytes = 32 << 20;

const RocBlas& rocblas() {
  static const RocBlas& opened = *new RocBlas;  // closing it at exit would be too late
  return opened;
}

// A handle with a stream and a workspace of its own, so that launches can become a graph.
class Product {
 public:
  Product(gpu::GpuDevice& device, const Gemm& p)
      : shape_(gpu::column_major(p)),
        alpha_(gpu::scalar_type(p), p.alpha),
        beta_(gpu::scalar_type(p), p.beta),
        compute_type_(*RocBlas::data_type(gpu::scalar_type(p))) {
    const gpu::StreamHandle stream = device.stream();  // selects the device
    workspace_ = gpu::Buffer<std::byte>(workspace_bytes);
    void* made = nullptr;
    check(rocblas().create_handle(&made), "a handle");
    handle_.reset(made);
    check(rocblas().set_stream(made, stream), "the stream");
    check(rocblas().set_workspace(made, workspace_.data(), workspace_bytes), "the workspace");
    check(rocblas().set_math_mode(
              made, p.a == DType::tf32 ? RocBlas::reduced_precision_f32 : RocBlas::default_math),
          "the math mode");
  }

  void launch(const Arguments& arguments) const {
    const auto operation = [](const gpu::ColumnMajor& matrix) -> int {
      return matrix.transposed ? RocBlas::transpose : RocBlas::no_transpose;
    };
    const auto type = [](const gpu::ColumnMajor& matrix) {
      return *RocBlas::data_type(matrix.type);
    };
    const auto leading = [](const gpu::ColumnMajor& matrix) {
      return static_cast<int>(matrix.rows);
    };
    const gpu::ColumnMajor &a = shape_.first, &b = shape_.second, &c = shape_.result;
    void* result = arguments.data(c.operand);
    check(rocblas().gemm(handle_.get(), operation(a), operation(b), static_cast<int>(shape_.m),
                         static_cast<int>(shape_.n), static_cast<int>(shape_.k), alpha_.data(),
                         arguments.data(a.operand), type(a), leading(a), arguments.data(b.operand),
                         type(b), leading(b), beta_.data(), result, type(c), leading(c), result,
                         type(c), leading(c), compute_type_, RocBlas::standard_algorithm, 0, 0),
          "the product");
  }

 private:
  static void check(int status, const char* what) { gpu::check(rocblas(), status, what); }

  gpu::ColumnMajorGemm shape_;
  gpu::Scalar alpha_, beta_;
  int compute_type_;
  std::unique_ptr<void, int (*)(void*)> handle_{nullptr, rocblas().destroy_handle};
  gpu::Buffer<std::byte> workspace_;
};

// What rocblas_gemm_ex lists: both inputs of one type, and these outputs.
bool has_product(const Gemm& p) {
  if (p.a != p.b || !RocBlas::data_type(p.a)) return false;
  if (p.a == DType::int8) return p.c == DType::int32;
  if (p.a == DType::bf16 || p.a == DType::f16) return p.c == p.a || p.c == DType::f32;
  return p.c == (p.a == DType::tf32 ? DType::f32 : p.a);
}

Support supports(const Gemm& p, const DeviceInfo& info) {
  if (p.groups > 1 || p.scaling != Scaling::none)
    return {Support::no, "rocBLAS has neither grouped nor scaled GEMM"};
  if (!has_product(p))
    return {Support::no, fmt::format("rocBLAS does not multiply {} by {} into {}", name(p.a),
                                     name(p.b), name(p.c))};
  if (p.a == DType::tf32 && info.architecture != "gfx942")
    return {Support::no, fmt::format("{} has no tf32 units", info.architecture)};
  if (p.c == DType::int32 && (p.alpha != std::floor(p.alpha) || p.beta != std::floor(p.beta)))
    return {Support::no, "rocBLAS scales int32 by whole numbers only"};
  if (std::max({p.m, p.n, p.k}) > std::numeric_limits<int>::max())
    return {Support::no, "rocblas_gemm_ex counts in 32 bits"};
  if (const std::string reason = gpu::obstacle(rocblas().library, info); !reason.empty())
    return {Support::no, reason};
  return {};
}

std::unique_ptr<Run> prepare(gpu::GpuDevice& device, const Gemm& p, const Inputs& inputs) {
  const auto product = std::make_shared<const Product>(device, p);
  return make_run(device, p, inputs,
                  [=](const Arguments& arguments) { product->launch(arguments); },
                  {.detail = rocblas().version()});
}

}  // namespace

std::span<const Kernel> rocblas_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("rocblas", Tier::library)};
  return table;
}

}  // namespace steelyard::hip
