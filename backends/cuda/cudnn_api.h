// SPDX-License-Identifier: Apache-2.0
// The part of cuDNN's graph interface that is used, as cudnn_graph.h (9) has it: the library is often
// there without its header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "backends/gpu/gpu.h"
#include "backends/library.h"

namespace steelyard::cuda {

struct Cudnn {
  enum Descriptor : int {      // CUDNN_BACKEND_..._DESCRIPTOR
    pointwise = 0,             // POINTWISE
    engine = 2,                // ENGINE
    engine_configuration = 3,  // ENGINECFG
    engine_heuristic = 4,      // ENGINEHEUR
    execution_plan = 5,        // EXECUTION_PLAN
    pointwise_operation = 13,  // OPERATION_POINTWISE
    operation_graph = 15,      // OPERATIONGRAPH
    variant_pack = 16,         // VARIANT_PACK
    tensor = 17,               // TENSOR
    matmul = 18,               // MATMUL
    matmul_operation = 19,     // OPERATION_MATMUL
    reduction = 21,            // REDUCTION
    reduction_operation = 22,  // OPERATION_REDUCTION
    reshape_operation = 31,    // OPERATION_RESHAPE
  };
  enum Attribute : int {           // CUDNN_ATTR_...
    pointwise_mode = 0,            // POINTWISE_MODE
    pointwise_precision = 1,       // POINTWISE_MATH_PREC
    pointwise_axis = 9,            // POINTWISE_AXIS
    heuristic_mode = 200,          // ENGINEHEUR_MODE
    heuristic_graph = 201,         // ENGINEHEUR_OPERATION_GRAPH
    heuristic_results = 202,       // ENGINEHEUR_RESULTS
    configuration_engine = 300,    // ENGINECFG_ENGINE
    plan_handle = 400,             // EXECUTION_PLAN_HANDLE
    plan_configuration = 401,      // EXECUTION_PLAN_ENGINE_CONFIG
    plan_workspace_bytes = 402,    // EXECUTION_PLAN_WORKSPACE_SIZE
    pointwise_description = 750,   // OPERATION_POINTWISE_PW_DESCRIPTOR
    pointwise_x = 751,             // OPERATION_POINTWISE_XDESC
    pointwise_b = 752,             // OPERATION_POINTWISE_BDESC
    pointwise_y = 753,             // OPERATION_POINTWISE_YDESC
    pointwise_t = 758,             // OPERATION_POINTWISE_TDESC
    graph_handle = 800,            // OPERATIONGRAPH_HANDLE
    graph_operations = 801,        // OPERATIONGRAPH_OPS
    tensor_alignment_bytes = 900,  // TENSOR_BYTE_ALIGNMENT
    tensor_type = 901,             // TENSOR_DATA_TYPE
    tensor_dimensions = 902,       // TENSOR_DIMENSIONS
    tensor_strides = 903,          // TENSOR_STRIDES
    tensor_id = 906,               // TENSOR_UNIQUE_ID
    tensor_is_virtual = 907,       // TENSOR_IS_VIRTUAL
    tensor_is_by_value = 908,      // TENSOR_IS_BY_VALUE
    pack_ids = 1000,               // VARIANT_PACK_UNIQUE_IDS
    pack_pointers = 1001,          // VARIANT_PACK_DATA_POINTERS
    pack_workspace = 1003,         // VARIANT_PACK_WORKSPACE
    engine_index = 1301,           // ENGINE_GLOBAL_INDEX
    matmul_precision = 1500,       // MATMUL_COMP_TYPE
    matmul_a = 1520,               // OPERATION_MATMUL_ADESC
    matmul_b = 1521,               // OPERATION_MATMUL_BDESC
    matmul_c = 1522,               // OPERATION_MATMUL_CDESC
    matmul_description = 1523,     // OPERATION_MATMUL_DESC
    reduction_operator = 1600,     // REDUCTION_OPERATOR
    reduction_precision = 1601,    // REDUCTION_COMP_TYPE
    reduction_x = 1610,            // OPERATION_REDUCTION_XDESC
    reduction_y = 1611,            // OPERATION_REDUCTION_YDESC
    reduction_description = 1612,  // OPERATION_REDUCTION_DESC
    reshape_x = 2200,              // OPERATION_RESHAPE_XDESC
    reshape_y = 2201,              // OPERATION_RESHAPE_YDESC
  };
  enum Type : int {            // CUDNN_TYPE_...
    type_handle = 0,           // HANDLE
    type_data_type = 1,        // DATA_TYPE
    type_boolean = 2,          // BOOLEAN
    type_int64 = 3,            // INT64
    type_float = 4,            // FLOAT
    type_pointer = 6,          // VOID_PTR
    type_heuristic_mode = 8,   // HEUR_MODE
    type_pointwise_mode = 14,  // POINTWISE_MODE
    type_descriptor = 15,      // BACKEND_DESCRIPTOR
    type_reduction = 18,       // REDUCTION_OPERATOR_TYPE
  };
  enum Data : int {  // CUDNN_DATA_...
    data_f32 = 0,    // FLOAT
    data_f16 = 2,    // HALF
    data_int32 = 4,  // INT32
    data_bf16 = 9,   // BFLOAT16
    data_bool = 11,  // BOOLEAN
  };
  enum Pointwise : int {  // CUDNN_POINTWISE_...
    add = 0,
    mul = 1,
    div = 6,
    sub = 9,
    exp = 13,
    log = 15,
    identity = 21,
    greater_or_equal = 303,  // CMP_GE
    index = 501,             // GEN_INDEX
    select = 601,            // BINARY_SELECT: X where T, else B
  };
  enum Reduction : int {  // CUDNN_REDUCE_TENSOR_...
    reduce_add = 0,
    reduce_max = 3,
  };
  static constexpr int heuristic = 3;  // CUDNN_HEUR_MODE_A
  static constexpr bool plan_needs_handle = true;
  static constexpr bool results_need_finalizing = false;

  Library library{"libcudnn.so.9", "libcudnn.so"};

  template <class Function>
  Function* find(const char* name) {
    return library.find<Function>(name);
  }
  int (*create_handle)(void**) = find<int(void**)>("cudnnCreate");
  int (*set_stream)(void*,
                    gpu::StreamHandle) = find<int(void*, gpu::StreamHandle)>("cudnnSetStream");
  std::size_t (*get_version)() = find<std::size_t()>("cudnnGetVersion");
  const char* (*error_string)(int) = find<const char*(int)>("cudnnGetErrorString");
  int (*create)(int, void**) = find<int(int, void**)>("cudnnBackendCreateDescriptor");
  int (*destroy)(void*) = find<int(void*)>("cudnnBackendDestroyDescriptor");
  int (*finalize)(void*) = find<int(void*)>("cudnnBackendFinalize");
  using Set = int(void*, int, int, std::int64_t, const void*);
  Set* set = find<Set>("cudnnBackendSetAttribute");
  using Get = int(void*, int, int, std::int64_t, std::int64_t*, void*);
  Get* get = find<Get>("cudnnBackendGetAttribute");
  int (*execute)(void*, void*, void*) = find<int(void*, void*, void*)>("cudnnBackendExecute");

  void* handle(int device) const;  // selects the device; made at first use, never destroyed
  std::string version() const;
  const char* name(int status) const { return error_string(status); }
};

}  // namespace steelyard::cuda
