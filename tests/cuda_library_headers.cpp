// SPDX-License-Identifier: Apache-2.0
// Compiled where the libraries' own headers are installed: what the adapters declare for themselves is
// what the headers say.
#include <cublasLt.h>
#include <cudnn_graph.h>

#include "backends/cuda/cublaslt_api.h"
#include "backends/cuda/cudnn_api.h"

using namespace steelyard;
using cuda::CublasLt;
using cuda::Cudnn;

#define SAME(ours, theirs) static_assert(static_cast<int>(ours) == static_cast<int>(theirs))

// cuBLASLt
static_assert(sizeof(CublasLt::Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(CublasLt::Heuristic) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(CublasLt::Heuristic, workspace_bytes) ==
              offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(CublasLt::Heuristic, status) ==
              offsetof(cublasLtMatmulHeuristicResult_t, state));
SAME(CublasLt::no_transpose, CUBLAS_OP_N);
SAME(CublasLt::transpose, CUBLAS_OP_T);
SAME(CublasLt::transpose_a, CUBLASLT_MATMUL_DESC_TRANSA);
SAME(CublasLt::transpose_b, CUBLASLT_MATMUL_DESC_TRANSB);
SAME(CublasLt::a_scale_pointer, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER);
SAME(CublasLt::b_scale_pointer, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER);
#if CUBLAS_VERSION >= 120900
SAME(CublasLt::a_scale_mode, CUBLASLT_MATMUL_DESC_A_SCALE_MODE);
SAME(CublasLt::b_scale_mode, CUBLASLT_MATMUL_DESC_B_SCALE_MODE);
SAME(CublasLt::scale_per_vector, CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F);
#endif
SAME(CublasLt::max_workspace_bytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
static_assert(CublasLt::min_alignments ==
              std::array<int, 4>{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                                 CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                 CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
                                 CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES});
SAME(CublasLt::algorithm_id, CUBLASLT_ALGO_CONFIG_ID);
SAME(CublasLt::algorithm_tile, CUBLASLT_ALGO_CONFIG_TILE_ID);
SAME(CublasLt::algorithm_split_k, CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
SAME(CublasLt::algorithm_stages, CUBLASLT_ALGO_CONFIG_STAGES_ID);
SAME(CublasLt::algorithm_cluster, CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID);

constexpr bool is(DType type, cudaDataType number) {
  return CublasLt::data_type(type, Encoding::ocp) == static_cast<int>(number);
}
static_assert(is(DType::f64, CUDA_R_64F) && is(DType::f32, CUDA_R_32F));
static_assert(is(DType::tf32, CUDA_R_32F) && is(DType::f16, CUDA_R_16F));
static_assert(is(DType::bf16, CUDA_R_16BF) && is(DType::int8, CUDA_R_8I));
static_assert(is(DType::fp8_e4m3, CUDA_R_8F_E4M3) && is(DType::fp8_e5m2, CUDA_R_8F_E5M2));
static_assert(is(DType::int32, CUDA_R_32I));
SAME((CublasLt::compute_type({.c = DType::f64})), CUBLAS_COMPUTE_64F);
SAME((CublasLt::compute_type({.c = DType::int32})), CUBLAS_COMPUTE_32I);
SAME((CublasLt::compute_type({.a = DType::tf32})), CUBLAS_COMPUTE_32F_FAST_TF32);
SAME((CublasLt::compute_type({})), CUBLAS_COMPUTE_32F);

// cuDNN
SAME(Cudnn::pointwise, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
SAME(Cudnn::engine, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
SAME(Cudnn::engine_configuration, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
SAME(Cudnn::engine_heuristic, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
SAME(Cudnn::execution_plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
SAME(Cudnn::pointwise_operation, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
SAME(Cudnn::operation_graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
SAME(Cudnn::variant_pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
SAME(Cudnn::tensor, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
SAME(Cudnn::matmul, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
SAME(Cudnn::matmul_operation, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
SAME(Cudnn::reduction, CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
SAME(Cudnn::reduction_operation, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
SAME(Cudnn::reshape_operation, CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR);
SAME(Cudnn::pointwise_mode, CUDNN_ATTR_POINTWISE_MODE);
SAME(Cudnn::pointwise_precision, CUDNN_ATTR_POINTWISE_MATH_PREC);
SAME(Cudnn::pointwise_axis, CUDNN_ATTR_POINTWISE_AXIS);
SAME(Cudnn::heuristic_mode, CUDNN_ATTR_ENGINEHEUR_MODE);
SAME(Cudnn::heuristic_graph, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
SAME(Cudnn::heuristic_results, CUDNN_ATTR_ENGINEHEUR_RESULTS);
SAME(Cudnn::configuration_engine, CUDNN_ATTR_ENGINECFG_ENGINE);
SAME(Cudnn::plan_configuration, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
SAME(Cudnn::plan_workspace_bytes, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
SAME(Cudnn::pointwise_description, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
SAME(Cudnn::pointwise_x, CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
SAME(Cudnn::pointwise_b, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
SAME(Cudnn::pointwise_y, CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
SAME(Cudnn::pointwise_t, CUDNN_ATTR_OPERATION_POINTWISE_TDESC);
SAME(Cudnn::graph_operations, CUDNN_ATTR_OPERATIONGRAPH_OPS);
SAME(Cudnn::tensor_alignment_bytes, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
SAME(Cudnn::tensor_type, CUDNN_ATTR_TENSOR_DATA_TYPE);
SAME(Cudnn::tensor_dimensions, CUDNN_ATTR_TENSOR_DIMENSIONS);
SAME(Cudnn::tensor_strides, CUDNN_ATTR_TENSOR_STRIDES);
SAME(Cudnn::tensor_id, CUDNN_ATTR_TENSOR_UNIQUE_ID);
SAME(Cudnn::tensor_is_virtual, CUDNN_ATTR_TENSOR_IS_VIRTUAL);
SAME(Cudnn::tensor_is_by_value, CUDNN_ATTR_TENSOR_IS_BY_VALUE);
SAME(Cudnn::pack_ids, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
SAME(Cudnn::pack_pointers, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
SAME(Cudnn::pack_workspace, CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
SAME(Cudnn::engine_index, CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
SAME(Cudnn::matmul_precision, CUDNN_ATTR_MATMUL_COMP_TYPE);
SAME(Cudnn::matmul_a, CUDNN_ATTR_OPERATION_MATMUL_ADESC);
SAME(Cudnn::matmul_b, CUDNN_ATTR_OPERATION_MATMUL_BDESC);
SAME(Cudnn::matmul_c, CUDNN_ATTR_OPERATION_MATMUL_CDESC);
SAME(Cudnn::matmul_description, CUDNN_ATTR_OPERATION_MATMUL_DESC);
SAME(Cudnn::reduction_operator, CUDNN_ATTR_REDUCTION_OPERATOR);
SAME(Cudnn::reduction_precision, CUDNN_ATTR_REDUCTION_COMP_TYPE);
SAME(Cudnn::reduction_x, CUDNN_ATTR_OPERATION_REDUCTION_XDESC);
SAME(Cudnn::reduction_y, CUDNN_ATTR_OPERATION_REDUCTION_YDESC);
SAME(Cudnn::reduction_description, CUDNN_ATTR_OPERATION_REDUCTION_DESC);
SAME(Cudnn::reshape_x, CUDNN_ATTR_OPERATION_RESHAPE_XDESC);
SAME(Cudnn::reshape_y, CUDNN_ATTR_OPERATION_RESHAPE_YDESC);
SAME(Cudnn::type_handle, CUDNN_TYPE_HANDLE);
SAME(Cudnn::type_data_type, CUDNN_TYPE_DATA_TYPE);
SAME(Cudnn::type_boolean, CUDNN_TYPE_BOOLEAN);
SAME(Cudnn::type_int64, CUDNN_TYPE_INT64);
SAME(Cudnn::type_float, CUDNN_TYPE_FLOAT);
SAME(Cudnn::type_pointer, CUDNN_TYPE_VOID_PTR);
SAME(Cudnn::type_heuristic_mode, CUDNN_TYPE_HEUR_MODE);
SAME(Cudnn::type_pointwise_mode, CUDNN_TYPE_POINTWISE_MODE);
SAME(Cudnn::type_descriptor, CUDNN_TYPE_BACKEND_DESCRIPTOR);
SAME(Cudnn::type_reduction, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE);
SAME(Cudnn::data_f32, CUDNN_DATA_FLOAT);
SAME(Cudnn::data_f16, CUDNN_DATA_HALF);
SAME(Cudnn::data_int32, CUDNN_DATA_INT32);
SAME(Cudnn::data_bf16, CUDNN_DATA_BFLOAT16);
SAME(Cudnn::data_bool, CUDNN_DATA_BOOLEAN);
SAME(Cudnn::add, CUDNN_POINTWISE_ADD);
SAME(Cudnn::mul, CUDNN_POINTWISE_MUL);
SAME(Cudnn::div, CUDNN_POINTWISE_DIV);
SAME(Cudnn::sub, CUDNN_POINTWISE_SUB);
SAME(Cudnn::exp, CUDNN_POINTWISE_EXP);
SAME(Cudnn::log, CUDNN_POINTWISE_LOG);
SAME(Cudnn::identity, CUDNN_POINTWISE_IDENTITY);
SAME(Cudnn::greater_or_equal, CUDNN_POINTWISE_CMP_GE);
SAME(Cudnn::index, CUDNN_POINTWISE_GEN_INDEX);
SAME(Cudnn::select, CUDNN_POINTWISE_BINARY_SELECT);
SAME(Cudnn::reduce_add, CUDNN_REDUCE_TENSOR_ADD);
SAME(Cudnn::reduce_max, CUDNN_REDUCE_TENSOR_MAX);
SAME(Cudnn::heuristic, CUDNN_HEUR_MODE_A);
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // a handle was not always optional
SAME(Cudnn::plan_handle, CUDNN_ATTR_EXECUTION_PLAN_HANDLE);
SAME(Cudnn::graph_handle, CUDNN_ATTR_OPERATIONGRAPH_HANDLE);
