// SPDX-License-Identifier: Apache-2.0
// Compiled where the libraries' own headers are installed: what the adapters declare for themselves is
// what the headers say.
#include "backends/hip/hipblaslt_api.h"
#include "backends/hip/rocblas_api.h"

#include <hipblaslt/hipblaslt.h>
#include <rocblas/rocblas.h>

using namespace steelyard;
using hip::HipblasLt;
using hip::RocBlas;

#define SAME(ours, theirs) static_assert(static_cast<int>(ours) == static_cast<int>(theirs))

// hipBLASLt
static_assert(sizeof(HipblasLt::Algorithm) == sizeof(hipblasLtMatmulAlgo_t));
static_assert(sizeof(HipblasLt::Heuristic) == sizeof(hipblasLtMatmulHeuristicResult_t));
static_assert(offsetof(HipblasLt::Heuristic, workspace_bytes) ==
              offsetof(hipblasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(HipblasLt::Heuristic, status) ==
              offsetof(hipblasLtMatmulHeuristicResult_t, state));
SAME(HipblasLt::no_transpose, HIPBLAS_OP_N);
SAME(HipblasLt::transpose, HIPBLAS_OP_T);
SAME(HipblasLt::transpose_a, HIPBLASLT_MATMUL_DESC_TRANSA);
SAME(HipblasLt::transpose_b, HIPBLASLT_MATMUL_DESC_TRANSB);
SAME(HipblasLt::a_scale_pointer, HIPBLASLT_MATMUL_DESC_A_SCALE_POINTER);
SAME(HipblasLt::b_scale_pointer, HIPBLASLT_MATMUL_DESC_B_SCALE_POINTER);
SAME(HipblasLt::a_scale_mode, HIPBLASLT_MATMUL_DESC_A_SCALE_MODE);
SAME(HipblasLt::b_scale_mode, HIPBLASLT_MATMUL_DESC_B_SCALE_MODE);
SAME(HipblasLt::scale_per_vector, HIPBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F);
SAME(HipblasLt::max_workspace_bytes, HIPBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);

constexpr bool is(DType type, hipDataType number, Encoding fp8 = Encoding::ocp) {
  return HipblasLt::data_type(type, fp8) == static_cast<int>(number);
}
static_assert(is(DType::f64, HIP_R_64F) && is(DType::f32, HIP_R_32F));
static_assert(is(DType::tf32, HIP_R_32F) && is(DType::f16, HIP_R_16F));
static_assert(is(DType::bf16, HIP_R_16BF) && is(DType::int8, HIP_R_8I));
static_assert(is(DType::fp8_e4m3, HIP_R_8F_E4M3) && is(DType::fp8_e5m2, HIP_R_8F_E5M2));
static_assert(is(DType::fp8_e4m3, HIP_R_8F_E4M3_FNUZ, Encoding::fnuz));
static_assert(is(DType::fp8_e5m2, HIP_R_8F_E5M2_FNUZ, Encoding::fnuz));
static_assert(is(DType::int32, HIP_R_32I));
SAME((HipblasLt::compute_type({.c = DType::f64})), HIPBLAS_COMPUTE_64F);
SAME((HipblasLt::compute_type({.c = DType::int32})), HIPBLAS_COMPUTE_32I);
SAME((HipblasLt::compute_type({.a = DType::tf32})), HIPBLAS_COMPUTE_32F_FAST_TF32);
SAME((HipblasLt::compute_type({})), HIPBLAS_COMPUTE_32F);

// rocBLAS
SAME(RocBlas::no_transpose, rocblas_operation_none);
SAME(RocBlas::transpose, rocblas_operation_transpose);
SAME(RocBlas::standard_algorithm, rocblas_gemm_algo_standard);
SAME(RocBlas::default_math, rocblas_default_math);
SAME(RocBlas::reduced_precision_f32, rocblas_xf32_xdl_math_op);
SAME(*RocBlas::data_type(DType::f64), rocblas_datatype_f64_r);
SAME(*RocBlas::data_type(DType::f32), rocblas_datatype_f32_r);
SAME(*RocBlas::data_type(DType::f16), rocblas_datatype_f16_r);
SAME(*RocBlas::data_type(DType::bf16), rocblas_datatype_bf16_r);
SAME(*RocBlas::data_type(DType::int8), rocblas_datatype_i8_r);
SAME(*RocBlas::data_type(DType::int32), rocblas_datatype_i32_r);
