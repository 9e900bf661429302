// SPDX-License-Identifier: Apache-2.0
// A GEMM library that is told its problem in descriptors, computing plainly what they say. Of its
// algorithms the first is slow, one is not for this problem, one wants more workspace than it may
// have, one fails when it is launched, one is fast, and the last is slow.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "backends/problem.h"
#include "tests/doubles/emulated_work.h"

namespace steelyard::doubles {

enum Behaviour : std::uint64_t { slow_first, unsuited, greedy, failing, quick, slow_last, count };

// Statuses whose numbers differ between the libraries.
struct Statuses {
  int invalid_value, execution_failed, not_supported;
};

template <class Api, Statuses statuses>
struct DescribedBlas {
  struct Description {
    int compute_type, scalar_type;
    bool transposed[2] = {};
    std::int32_t scale_mode[2] = {};
    const float* scales[2] = {};
  };
  struct Layout {
    DType type;
    Encoding encoding;
    std::uint64_t rows, columns;
    std::int64_t leading;
  };
  struct Preference {
    std::uint64_t workspace_bytes = 0;
  };

  static inline std::array<int, count> launches{};
  static inline bool fail_all = false;

  static bool decode(int number, DType& type, Encoding& encoding) {
    for (const Encoding fp8 : {Encoding::ocp, Encoding::fnuz})
      for (const DType one : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::fp8_e4m3,
                              DType::fp8_e5m2, DType::int8, DType::int32})
        if (Api::data_type(one, fp8) == number) {
          type = one;
          encoding = fp8;
          return true;
        }
    return false;
  }

  static int create_description(void** made, int compute_type, int scalar_type) {
    *made = new Description{.compute_type = compute_type, .scalar_type = scalar_type};
    return 0;
  }
  template <class Descriptor>
  static int destroy(void* descriptor) {
    delete static_cast<Descriptor*>(descriptor);
    return 0;
  }

  template <class Value>
  static bool take(Value& to, const void* value, std::size_t size) {
    if (size == sizeof to) std::memcpy(&to, value, size);
    return size == sizeof to;
  }

  static int set_description(void* descriptor, int attribute, const void* value, std::size_t size) {
    auto& description = *static_cast<Description*>(descriptor);
    for (const int side : {0, 1}) {
      std::int32_t operation = 0;
      if (attribute == (side ? Api::transpose_b : Api::transpose_a)) {
        if (!take(operation, value, size)) return statuses.invalid_value;
        description.transposed[side] = operation == Api::transpose;
        return operation == Api::transpose || operation == Api::no_transpose
                   ? 0
                   : statuses.invalid_value;
      }
      if (attribute == (side ? Api::b_scale_mode : Api::a_scale_mode))
        return take(description.scale_mode[side], value, size) ? 0 : statuses.invalid_value;
      if (attribute == (side ? Api::b_scale_pointer : Api::a_scale_pointer))
        return take(description.scales[side], value, size) ? 0 : statuses.invalid_value;
    }
    return statuses.invalid_value;
  }

  static int create_layout(void** made, int number, std::uint64_t rows, std::uint64_t columns,
                           std::int64_t leading) {
    Layout layout = {.rows = rows, .columns = columns, .leading = leading};
    if (!decode(number, layout.type, layout.encoding) || leading < static_cast<std::int64_t>(rows))
      return statuses.invalid_value;
    *made = new Layout(layout);
    return 0;
  }

  static int create_preference(void** made) {
    *made = new Preference;
    return 0;
  }
  static int set_preference(void* preference, int attribute, const void* value, std::size_t size) {
    if (attribute != Api::max_workspace_bytes) return size == 4 ? 0 : statuses.invalid_value;
    auto& workspace = static_cast<Preference*>(preference)->workspace_bytes;
    return take(workspace, value, size) ? 0 : statuses.invalid_value;
  }

  // The rules of the real libraries: the shapes must fit, fp8 may need a C of its own, and integers
  // need their sums along columns, in groups of 4.
  static int check(const Description& description, const Layout& a, const Layout& b,
                   const Layout& c, const Layout& d) {
    if (c.rows != d.rows || c.columns != d.columns) return statuses.invalid_value;
    const bool fp8 = d.type == DType::fp8_e4m3;
    if (c.type != (fp8 && Api::adds_bf16_to_fp8 ? DType::bf16 : d.type))
      return statuses.not_supported;
    const bool ta = description.transposed[0], tb = description.transposed[1];
    const std::uint64_t k = ta ? a.rows : a.columns;
    if ((ta ? a.columns : a.rows) != c.rows || (tb ? b.rows : b.columns) != c.columns ||
        (tb ? b.columns : b.rows) != k)
      return statuses.invalid_value;
    const bool sums_along_columns = ta && !tb && k % 4 == 0 && c.rows % 4 == 0;
    return a.type == DType::int8 && !sums_along_columns ? statuses.not_supported : 0;
  }

  static int get_heuristic(void*, void* description, void* a, void* b, void* c, void* d,
                           void* preference, int most, typename Api::Heuristic* found,
                           int* found_count) {
    *found_count = 0;
    if (const int status =
            check(*static_cast<Description*>(description), *static_cast<Layout*>(a),
                  *static_cast<Layout*>(b), *static_cast<Layout*>(c), *static_cast<Layout*>(d)))
      return status;
    const std::uint64_t workspace = static_cast<Preference*>(preference)->workspace_bytes;
    for (std::uint64_t i = 0; i < count && *found_count < most; ++i) {
      typename Api::Heuristic& one = found[(*found_count)++];
      one = {};
      std::memcpy(&one.algorithm, &i, sizeof i);
      one.workspace_bytes = i == greedy ? workspace + 1 : workspace / 2;
      one.status = i == unsuited ? statuses.not_supported : 0;
    }
    return 0;
  }

  static int matmul(void*, void* description, const void* alpha, const void* a, void* a_layout,
                    const void* b, void* b_layout, const void* beta, const void* c, void* c_layout,
                    void* d, void* d_layout, const typename Api::Algorithm* algorithm, void*,
                    std::size_t, cudaStream_t stream) {
    std::uint64_t way = count;
    std::memcpy(&way, algorithm, sizeof way);
    if (fail_all || way == failing) return statuses.execution_failed;
    const Description& told = *static_cast<Description*>(description);
    DType scalar{};
    Encoding unused{};
    decode(told.scalar_type, scalar, unused);
    const auto matrix = [](const void* data, void* layout, bool transposed) -> Matrix {
      const Layout& l = *static_cast<Layout*>(layout);
      return {data, l.type, l.leading, transposed, l.encoding};
    };
    const Layout& shape = *static_cast<Layout*>(a_layout);
    const Layout& result = *static_cast<Layout*>(d_layout);
    const auto scales = [&](int side) {
      return told.scale_mode[side] == Api::scale_per_vector ? told.scales[side] : nullptr;
    };
    const Product product = {
        .m = static_cast<std::int64_t>(result.rows),
        .n = static_cast<std::int64_t>(result.columns),
        .k = static_cast<std::int64_t>(told.transposed[0] ? shape.rows : shape.columns),
        .alpha = read(scalar, alpha),
        .beta = read(scalar, beta),
        .a = matrix(a, a_layout, told.transposed[0]),
        .b = matrix(b, b_layout, told.transposed[1]),
        .c = matrix(c, c_layout, false),
        .d = matrix(d, d_layout, false),
        .a_scales = scales(0),
        .b_scales = scales(1)};
    ++launches[way];
    const auto busy = std::chrono::milliseconds(way == quick ? 1 : 4);
    return enqueue(stream, busy, [=] { multiply(product); }) ? 0 : statuses.execution_failed;
  }
};

}  // namespace steelyard::doubles
