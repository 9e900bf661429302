// SPDX-License-Identifier: Apache-2.0
// GEMM by a library that is told a problem in descriptors and answers with algorithms: both vendors
// have one, alike but for names, numbers and the size of an algorithm. An Api has them:
//   Algorithm, Heuristic; the enumerators used below; data_type() and compute_type();
//   pointers to the functions; handle(device), which selects the device.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backends/gpu/choose_algorithm.h"
#include "backends/gpu/column_major.h"
#include "backends/gpu/vendor_library.h"

namespace steelyard::gpu {

inline constexpr std::size_t matmul_workspace_bytes = 32 << 20;  // what both vendors advise for it
inline constexpr int most_algorithms = 16;

template <class Api>
class DescribedMatmul {
 public:
  using Algorithm = typename Api::Algorithm;

  // Selects the device. Throws Refused where the library knows no such types.
  DescribedMatmul(const Api& api, const Gemm& p, const DeviceInfo& device)
      : api_(api),
        handle_(api.handle(device.index)),
        problem_(p),
        fp8_(device.fp8),
        shape_(column_major(p)),
        alpha_(scalar_type(p), p.alpha),
        beta_(scalar_type(p), p.beta),
        description_(describe()),
        first_(layout(shape_.first)),
        second_(layout(shape_.second)),
        result_(layout(shape_.result)),
        addend_(layout(addend())) {}

  // At most `count` algorithms that fit into the workspace, the library's favourite first.
  std::vector<Algorithm> algorithms(int count) const {
    const Descriptor preference = make(api_.create_preference, api_.destroy_preference);
    const std::uint64_t workspace = matmul_workspace_bytes;
    set(api_.set_preference, preference, Api::max_workspace_bytes, workspace);
    for (const int operand_alignment : Api::min_alignments)
      set(api_.set_preference, preference, operand_alignment,
          static_cast<std::uint32_t>(tensor_alignment));
    std::vector<typename Api::Heuristic> found(static_cast<std::size_t>(count));
    int found_count = 0;
    check(
        api_,
        api_.get_heuristic(handle_, description_.get(), first_.get(), second_.get(), addend_.get(),
                           result_.get(), preference.get(), count, found.data(), &found_count),
        "no algorithm for it");
    std::vector<Algorithm> usable;
    for (const auto& one : std::span(found).first(static_cast<std::size_t>(found_count)))
      if (one.status == 0 && one.workspace_bytes <= matmul_workspace_bytes)
        usable.push_back(one.algorithm);
    return usable;
  }

  void launch(const Arguments& arguments, const Algorithm& algorithm, void* workspace,
              StreamHandle stream) const {
    if (problem_.scaling == Scaling::w8a8) {
      set(api_.set_description, description_, Api::a_scale_pointer, arguments.data("b_scale"));
      set(api_.set_description, description_, Api::b_scale_pointer, arguments.data("a_scale"));
    }
    void* c = arguments.data("c");
    const void* added = adds_another_type() ? nullptr : c;
    check(api_,
          api_.matmul(handle_, description_.get(), alpha_.data(), arguments.data("b"), first_.get(),
                      arguments.data("a"), second_.get(), beta_.data(), added, addend_.get(), c,
                      result_.get(), &algorithm, workspace, matmul_workspace_bytes, stream),
          "the product");
  }

 private:
  using Descriptor = std::unique_ptr<void, int (*)(void*)>;

  template <class... Parameters, class... Arguments>
  Descriptor make(int (*create)(void**, Parameters...), int (*destroy)(void*),
                  Arguments... arguments) const {
    void* made = nullptr;
    check(api_, create(&made, arguments...), "a descriptor");
    return {made, destroy};
  }

  template <class Value>
  void set(int (*setter)(void*, int, const void*, std::size_t), const Descriptor& descriptor,
           int attribute, const Value& value) const {
    check(api_, setter(descriptor.get(), attribute, &value, sizeof value), "attribute", attribute);
  }

  int data_type(DType type) const {
    const std::optional<int> found = Api::data_type(type, fp8_);
    if (!found) throw Refused(fmt::format("{} has no {}", api_.version(), name(type)));
    return *found;
  }

  // The product without its matrices. Sums of fp8 stay in full f32 (no "fast accumulation").
  Descriptor describe() const {
    Descriptor made = make(api_.create_description, api_.destroy_description,
                           Api::compute_type(problem_), data_type(scalar_type(problem_)));
    set(api_.set_description, made, Api::transpose_a, operation(shape_.first));
    set(api_.set_description, made, Api::transpose_b, operation(shape_.second));
    if (problem_.scaling == Scaling::w8a8)  // of fp8: a scale per row of A, one per column of B
      for (const int mode : {Api::a_scale_mode, Api::b_scale_mode})
        set(api_.set_description, made, mode, static_cast<std::int32_t>(Api::scale_per_vector));
    return made;
  }

  static std::int32_t operation(const ColumnMajor& matrix) {
    return matrix.transposed ? Api::transpose : Api::no_transpose;
  }

  Descriptor layout(const ColumnMajor& matrix) const {
    return make(api_.create_layout, api_.destroy_layout, data_type(matrix.type),
                static_cast<std::uint64_t>(matrix.rows), static_cast<std::uint64_t>(matrix.columns),
                matrix.rows);
  }

  // One library wants C in bf16 where it returns fp8. Such a C is never there: beta is 0.
  bool adds_another_type() const { return Api::adds_bf16_to_fp8 && bits(problem_.c) == 8; }
  ColumnMajor addend() const {
    ColumnMajor matrix = shape_.result;
    if (adds_another_type()) matrix.type = DType::bf16;
    return matrix;
  }

  const Api& api_;
  void* handle_;
  Gemm problem_;
  Encoding fp8_;
  ColumnMajorGemm shape_;
  Scalar alpha_, beta_;
  Descriptor description_, first_, second_, result_, addend_;
};

// Whether the library has an algorithm: it is asked.
template <class Api>
Support supports_matmul(const Api& api, const Gemm& p, const DeviceInfo& info) {
  const bool fp8 = bits(p.a) == 8 && bits(p.b) == 8 && !is_integer(p.a) && !is_integer(p.b);
  if (p.groups > 1) return {Support::no, fmt::format("{} has no grouped GEMM here", Api::title)};
  if (p.scaling == Scaling::w4a16 || (p.scaling == Scaling::w8a8 && !fp8))
    return {Support::no, fmt::format("{} scales rows and columns of fp8 only", Api::title)};
  if (p.c == DType::int32 && (p.alpha != std::floor(p.alpha) || p.beta != std::floor(p.beta)))
    return {Support::no, fmt::format("{} scales int32 by whole numbers only", Api::title)};
  if (p.c == DType::tf32)  // whose readers take 19 of the bits that were rounded to 32
    return {Support::no, fmt::format("{} returns f32 from tf32", Api::title)};
  if (Api::adds_bf16_to_fp8 && bits(p.c) == 8 && p.beta != 0)
    return {Support::no, fmt::format("{} adds no C of 8 bits", Api::title)};
  if (const std::string reason = obstacle(api.library, info); !reason.empty())
    return {Support::no, reason};
  return ask([&]() -> Support {
    const DescribedMatmul<Api> matmul(api, p, info);
    if (matmul.algorithms(1).empty())
      return {Support::no, fmt::format("{} has no algorithm for it", api.version())};
    return {};
  });
}

// A Run of the fastest of the library's first `count` algorithms.
template <class Api>
std::unique_ptr<Run> prepare_matmul(const Api& api, int count, GpuDevice& device, const Gemm& p,
                                    const Inputs& inputs) {
  const auto matmul = std::make_shared<const DescribedMatmul<Api>>(api, p, device.info());
  const auto workspace = std::make_shared<Buffer<std::byte>>(matmul_workspace_bytes);
  std::vector<Algorithm> ways;
  for (const auto& algorithm : matmul->algorithms(count))
    ways.push_back({api.describe(algorithm), [=, &device](const Arguments& arguments) {
                      matmul->launch(arguments, algorithm, workspace->data(), device.stream());
                    }});
  return make_fastest_run(device, p, inputs, std::move(ways), api.version());
}

}  // namespace steelyard::gpu
