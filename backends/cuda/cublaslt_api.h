// SPDX-License-Identifier: Apache-2.0
// The part of cuBLASLt that is used, as cublasLt.h (12 and 13) has it: the library is often there
// without its header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "backends/gpu/gpu.h"
#include "backends/library.h"
#include "backends/problem.h"

namespace steelyard::cuda {

struct CublasLt {
  static constexpr const char* title = "cuBLASLt";
  static constexpr bool adds_bf16_to_fp8 = true;  // the type of C where D is fp8

  struct Algorithm {  // cublasLtMatmulAlgo_t
    std::uint64_t data[8];
  };
  struct Heuristic {  // cublasLtMatmulHeuristicResult_t
    Algorithm algorithm;
    std::size_t workspace_bytes;
    int status;
    float waves;
    int reserved[4];
  };

  enum : int {
    no_transpose = 0,         // CUBLAS_OP_N
    transpose = 1,            // CUBLAS_OP_T
    transpose_a = 3,          // CUBLASLT_MATMUL_DESC_TRANSA
    transpose_b = 4,          // CUBLASLT_MATMUL_DESC_TRANSB
    a_scale_pointer = 17,     // CUBLASLT_MATMUL_DESC_A_SCALE_POINTER
    b_scale_pointer = 18,     // CUBLASLT_MATMUL_DESC_B_SCALE_POINTER
    a_scale_mode = 31,        // CUBLASLT_MATMUL_DESC_A_SCALE_MODE
    b_scale_mode = 32,        // CUBLASLT_MATMUL_DESC_B_SCALE_MODE
    scale_per_vector = 3,     // CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F, since 12.9
    max_workspace_bytes = 1,  // CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
    algorithm_id = 0,         // CUBLASLT_ALGO_CONFIG_ID
    algorithm_tile = 1,       // CUBLASLT_ALGO_CONFIG_TILE_ID
    algorithm_split_k = 2,    // CUBLASLT_ALGO_CONFIG_SPLITK_NUM
    algorithm_stages = 6,     // CUBLASLT_ALGO_CONFIG_STAGES_ID
    algorithm_cluster = 8,    // CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID
  };
  static constexpr std::array min_alignments = {5, 6, 7, 8};  // ..._PREF_MIN_ALIGNMENT_A_BYTES to D

  static constexpr std::optional<int> data_type(DType type, Encoding) {  // cudaDataType_t
    switch (type) {
      case DType::f64:
        return 1;  // CUDA_R_64F
      case DType::f32:
      case DType::tf32:
        return 0;  // CUDA_R_32F
      case DType::f16:
        return 2;  // CUDA_R_16F
      case DType::bf16:
        return 14;  // CUDA_R_16BF
      case DType::fp8_e4m3:
        return 28;  // CUDA_R_8F_E4M3
      case DType::fp8_e5m2:
        return 29;  // CUDA_R_8F_E5M2
      case DType::int8:
        return 3;  // CUDA_R_8I
      case DType::int32:
        return 10;  // CUDA_R_32I
      case DType::int4:
        break;
    }
    return std::nullopt;
  }

  static constexpr int compute_type(const Gemm& p) {  // cublasComputeType_t
    if (p.c == DType::f64) return 70;                 // CUBLAS_COMPUTE_64F
    if (p.c == DType::int32) return 72;               // CUBLAS_COMPUTE_32I
    if (p.a == DType::tf32) return 77;                // CUBLAS_COMPUTE_32F_FAST_TF32
    return 68;                                        // CUBLAS_COMPUTE_32F
  }

  Library library{"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"};

  template <class Function>
  Function* find(const char* name) {
    return library.find<Function>(name);
  }
  int (*create)(void**) = find<int(void**)>("cublasLtCreate");
  std::size_t (*get_version)() = find<std::size_t()>("cublasLtGetVersion");
  const char* (*status_name)(int) = find<const char*(int)>("cublasLtGetStatusName");
  int (*create_description)(void**, int,
                            int) = find<int(void**, int, int)>("cublasLtMatmulDescCreate");
  int (*destroy_description)(void*) = find<int(void*)>("cublasLtMatmulDescDestroy");
  using Setter = int(void*, int, const void*, std::size_t);
  Setter* set_description = find<Setter>("cublasLtMatmulDescSetAttribute");
  using CreateLayout = int(void**, int, std::uint64_t, std::uint64_t, std::int64_t);
  CreateLayout* create_layout = find<CreateLayout>("cublasLtMatrixLayoutCreate");
  int (*destroy_layout)(void*) = find<int(void*)>("cublasLtMatrixLayoutDestroy");
  int (*create_preference)(void**) = find<int(void**)>("cublasLtMatmulPreferenceCreate");
  int (*destroy_preference)(void*) = find<int(void*)>("cublasLtMatmulPreferenceDestroy");
  Setter* set_preference = find<Setter>("cublasLtMatmulPreferenceSetAttribute");
  using GetHeuristic = int(void*, void*, void*, void*, void*, void*, void*, int, Heuristic*, int*);
  GetHeuristic* get_heuristic = find<GetHeuristic>("cublasLtMatmulAlgoGetHeuristic");
  using GetAttribute = int(const Algorithm*, int, void*, std::size_t, std::size_t*);
  GetAttribute* get_attribute = find<GetAttribute>("cublasLtMatmulAlgoConfigGetAttribute");
  // handle, description, alpha, A, B, beta, C, D, algorithm, workspace, its bytes, stream
  using Matmul = int(void*, void*, const void*, const void*, void*, const void*, void*, const void*,
                     const void*, void*, void*, void*, const Algorithm*, void*, std::size_t,
                     gpu::StreamHandle);
  Matmul* matmul = find<Matmul>("cublasLtMatmul");

  void* handle(int device) const;  // selects the device; made at first use, never destroyed
  std::string version() const;
  const char* name(int status) const { return status_name(status); }
  std::string describe(const Algorithm& algorithm) const;
};

}  // namespace steelyard::cuda
