// SPDX-License-Identifier: Apache-2.0
// The part of rocBLAS that is used, as rocblas.h (4 and 5) has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "backends/gpu/gpu.h"
#include "backends/library.h"
#include "backends/problem.h"

namespace steelyard::hip {

struct RocBlas {
  enum : int {
    no_transpose = 111,         // rocblas_operation_none
    transpose = 112,            // rocblas_operation_transpose
    standard_algorithm = 0,     // rocblas_gemm_algo_standard
    default_math = 0,           // rocblas_default_math
    reduced_precision_f32 = 1,  // rocblas_xf32_xdl_math_op
  };

  static constexpr std::optional<int> data_type(DType type) {  // rocblas_datatype
    switch (type) {
      case DType::f64:
        return 152;  // rocblas_datatype_f64_r
      case DType::f32:
      case DType::tf32:
        return 151;  // rocblas_datatype_f32_r
      case DType::f16:
        return 150;  // rocblas_datatype_f16_r
      case DType::bf16:
        return 168;  // rocblas_datatype_bf16_r
      case DType::int8:
        return 160;  // rocblas_datatype_i8_r
      case DType::int32:
        return 162;  // rocblas_datatype_i32_r
      default:
        return std::nullopt;
    }
  }

  // 4 belongs to ROCm 6, 5 to ROCm 7.
  Library library{"librocblas.so.5", "librocblas.so.4", "librocblas.so"};

  template <class Function>
  Function* find(const char* name) {
    return library.find<Function>(name);
  }
  int (*create_handle)(void**) = find<int(void**)>("rocblas_create_handle");
  int (*destroy_handle)(void*) = find<int(void*)>("rocblas_destroy_handle");
  int (*set_stream)(void*,
                    gpu::StreamHandle) = find<int(void*, gpu::StreamHandle)>("rocblas_set_stream");
  int (*set_workspace)(void*, void*,
                       std::size_t) = find<int(void*, void*, std::size_t)>("rocblas_set_workspace");
  int (*set_math_mode)(void*, int) = find<int(void*, int)>("rocblas_set_math_mode");
  int (*get_version)(char*,
                     std::size_t) = find<int(char*, std::size_t)>("rocblas_get_version_string");
  const char* (*status_name)(int) = find<const char*(int)>("rocblas_status_to_string");
  // handle, op(A), op(B), m, n, k, alpha, A with type and leading dimension, B, beta, C, D, compute
  // type, algorithm, solution, flags
  using GemmEx = int(void*, int, int, int, int, int, const void*, const void*, int, int,
                     const void*, int, int, const void*, const void*, int, int, void*, int, int,
                     int, int, std::int32_t, std::uint32_t);
  GemmEx* gemm = find<GemmEx>("rocblas_gemm_ex");

  std::string version() const;
  const char* name(int status) const { return status_name(status); }
};

}  // namespace steelyard::hip
