// SPDX-License-Identifier: Apache-2.0
// The part of hipBLASLt that is used, as hipblaslt.h (0.7 to 1.1) has it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "backends/gpu/gpu.h"
#include "backends/library.h"
#include "backends/problem.h"

namespace steelyard::hip {

struct HipblasLt {
  static constexpr const char* title = "hipBLASLt";
  static constexpr bool adds_bf16_to_fp8 = false;

  struct Algorithm {  // hipblasLtMatmulAlgo_t
    std::uint8_t data[16];
    std::size_t max_workspace_bytes;
  };
  struct Heuristic {  // hipblasLtMatmulHeuristicResult_t
    Algorithm algorithm;
    std::size_t workspace_bytes;
    int status;
    float waves;
    int reserved[4];
  };

  enum : int {
    no_transpose = 111,       // HIPBLAS_OP_N
    transpose = 112,          // HIPBLAS_OP_T
    transpose_a = 0,          // HIPBLASLT_MATMUL_DESC_TRANSA
    transpose_b = 1,          // HIPBLASLT_MATMUL_DESC_TRANSB
    a_scale_pointer = 5,      // HIPBLASLT_MATMUL_DESC_A_SCALE_POINTER
    b_scale_pointer = 6,      // HIPBLASLT_MATMUL_DESC_B_SCALE_POINTER
    a_scale_mode = 31,        // HIPBLASLT_MATMUL_DESC_A_SCALE_MODE
    b_scale_mode = 32,        // HIPBLASLT_MATMUL_DESC_B_SCALE_MODE
    scale_per_vector = 3,     // HIPBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F
    max_workspace_bytes = 1,  // HIPBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
  };
  static constexpr std::array<int, 0> min_alignments = {};

  static constexpr std::optional<int> data_type(DType type, Encoding fp8) {  // hipDataType
    const bool ocp = fp8 == Encoding::ocp;
    switch (type) {
      case DType::f64:
        return 1;  // HIP_R_64F
      case DType::f32:
      case DType::tf32:
        return 0;  // HIP_R_32F
      case DType::f16:
        return 2;  // HIP_R_16F
      case DType::bf16:
        return 14;  // HIP_R_16BF
      case DType::fp8_e4m3:
        return ocp ? 28 : 1000;  // HIP_R_8F_E4M3, HIP_R_8F_E4M3_FNUZ
      case DType::fp8_e5m2:
        return ocp ? 29 : 1001;  // HIP_R_8F_E5M2, HIP_R_8F_E5M2_FNUZ
      case DType::int8:
        return 3;  // HIP_R_8I
      case DType::int32:
        return 10;  // HIP_R_32I
      case DType::int4:
        break;
    }
    return std::nullopt;
  }

  static constexpr int compute_type(const Gemm& p) {  // hipblasComputeType_t
    if (p.c == DType::f64) return 7;                  // HIPBLAS_COMPUTE_64F
    if (p.c == DType::int32) return 9;                // HIPBLAS_COMPUTE_32I
    if (p.a == DType::tf32) return 6;                 // HIPBLAS_COMPUTE_32F_FAST_TF32
    return 2;                                         // HIPBLAS_COMPUTE_32F
  }

  // 0 belongs to ROCm 6, 1 to ROCm 7.
  Library library{"libhipblaslt.so.1", "libhipblaslt.so.0", "libhipblaslt.so"};

  template <class Function>
  Function* find(const char* name) {
    return library.find<Function>(name);
  }
  int (*create)(void**) = find<int(void**)>("hipblasLtCreate");
  int (*get_version)(void*, int*) = find<int(void*, int*)>("hipblasLtGetVersion");
  int (*create_description)(void**, int,
                            int) = find<int(void**, int, int)>("hipblasLtMatmulDescCreate");
  int (*destroy_description)(void*) = find<int(void*)>("hipblasLtMatmulDescDestroy");
  using Setter = int(void*, int, const void*, std::size_t);
  Setter* set_description = find<Setter>("hipblasLtMatmulDescSetAttribute");
  using CreateLayout = int(void**, int, std::uint64_t, std::uint64_t, std::int64_t);
  CreateLayout* create_layout = find<CreateLayout>("hipblasLtMatrixLayoutCreate");
  int (*destroy_layout)(void*) = find<int(void*)>("hipblasLtMatrixLayoutDestroy");
  int (*create_preference)(void**) = find<int(void**)>("hipblasLtMatmulPreferenceCreate");
  int (*destroy_preference)(void*) = find<int(void*)>("hipblasLtMatmulPreferenceDestroy");
  Setter* set_preference = find<Setter>("hipblasLtMatmulPreferenceSetAttribute");
  using GetHeuristic = int(void*, void*, void*, void*, void*, void*, void*, int, Heuristic*, int*);
  GetHeuristic* get_heuristic = find<GetHeuristic>("hipblasLtMatmulAlgoGetHeuristic");
  // handle, description, alpha, A, B, beta, C, D, algorithm, workspace, its bytes, stream
  using Matmul = int(void*, void*, const void*, const void*, void*, const void*, void*, const void*,
                     const void*, void*, void*, void*, const Algorithm*, void*, std::size_t,
                     gpu::StreamHandle);
  Matmul* matmul = find<Matmul>("hipblasLtMatmul");
  // hipblaslt_ext::getIndexFromAlgo(hipblasLtMatmulAlgo_t&): C++, and not in every version
  int (*index_of)(const Algorithm*) = library.find_optional<int(const Algorithm*)>(
      "_ZN13hipblaslt_ext16getIndexFromAlgoER22_hipblasLtMatmulAlgo_t");

  void* handle(int device) const;  // selects the device; made at first use, never destroyed
  std::string version() const;     // once there is a handle
  const char* name(int status) const;
  std::string describe(const Algorithm& algorithm) const;
};

}  // namespace steelyard::hip
