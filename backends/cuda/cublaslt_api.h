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

namespace steelyard::cublaslt {

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

struct Api {
  using Algorithm = cublaslt::Algorithm;
  using Heuristic = cublaslt::Heuristic;
  static constexpr const char* title = "cuBLASLt";

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
  };
  static constexpr std::array min_alignments = {5, 6, 7, 8};  // ..._PREF_MIN_ALIGNMENT_A_BYTES to D
  enum AlgorithmAttribute : int {                             // CUBLASLT_ALGO_CONFIG_...
    id = 0,
    tile = 1,
    split_k = 2,
    stages = 6,
    cluster = 8,
  };

  static std::optional<int> data_type(DType type, Encoding fp8);  // cudaDataType_t
  static int compute_type(const Gemm& p);                         // cublasComputeType_t

  Library library{"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"};

  template <class Function>
  Function* find(const char* name) {
    return library.find<Function>(name);
  }
  int (*create)(void**) = find<int(void**)>("cublasLtCreate");
  std::size_t (*get_version)() = find<std::size_t()>("cublasLtGetVersion");
  const char* (*status_name)(int) = find<const char*(int)>("cublasLtGetStatusName");
  int (*create_description)(void**, int, int) =
      find<int(void**, int, int)>("cublasLtMatmulDescCreate");
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

}  // namespace steelyard::cublaslt
