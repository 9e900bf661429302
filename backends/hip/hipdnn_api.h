// SPDX-License-Identifier: Apache-2.0
// The part of hipDNN that is used, as hipdnn_backend.h has it since its enumerations are numbered
// (rocm-libraries, projects/hipdnn). Where an older library numbers otherwise, it refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "backends/gpu/gpu.h"
#include "backends/library.h"

namespace steelyard::hip {

struct HipDnn {
  enum Descriptor : int {      // HIPDNN_BACKEND_..._DESCRIPTOR
    engine = 1,                // ENGINE
    engine_configuration = 2,  // ENGINECFG
    engine_heuristic = 3,      // ENGINEHEUR
    execution_plan = 4,        // EXECUTION_PLAN
    operation_graph = 10,      // OPERATIONGRAPH
    variant_pack = 11,         // VARIANT_PACK
    tensor = 14,               // TENSOR
    attention_forward = 24,    // OPERATION_SDPA_FWD
    attention_backward = 30,   // OPERATION_SDPA_BWD (_EXT)
  };
  enum Attribute : int {          // HIPDNN_ATTR_...
    heuristic_mode = 100,         // ENGINEHEUR_MODE
    heuristic_graph = 101,        // ENGINEHEUR_OPERATION_GRAPH
    heuristic_results = 102,      // ENGINEHEUR_RESULTS
    configuration_engine = 200,   // ENGINECFG_ENGINE
    plan_handle = 300,            // EXECUTION_PLAN_HANDLE, not to be set
    plan_configuration = 301,     // EXECUTION_PLAN_ENGINE_CONFIG
    plan_workspace_bytes = 302,   // EXECUTION_PLAN_WORKSPACE_SIZE
    graph_handle = 600,           // OPERATIONGRAPH_HANDLE
    graph_operations = 601,       // OPERATIONGRAPH_OPS
    pack_ids = 700,               // VARIANT_PACK_UNIQUE_IDS
    pack_pointers = 701,          // VARIANT_PACK_DATA_POINTERS
    pack_workspace = 703,         // VARIANT_PACK_WORKSPACE
    engine_index = 1001,          // ENGINE_GLOBAL_INDEX
    tensor_id = 1300,             // TENSOR_UNIQUE_ID
    tensor_type = 1302,           // TENSOR_DATA_TYPE
    tensor_dimensions = 1303,     // TENSOR_DIMENSIONS
    tensor_strides = 1304,        // TENSOR_STRIDES
    forward_q = 2600,             // OPERATION_SDPA_FWD_QDESC
    forward_k = 2601,             // OPERATION_SDPA_FWD_KDESC
    forward_v = 2602,             // OPERATION_SDPA_FWD_VDESC
    forward_o = 2603,             // OPERATION_SDPA_FWD_ODESC
    forward_stats = 2622,         // OPERATION_SDPA_FWD_STATSDESC
    forward_makes_stats = 2628,   // SDPA_FWD_GENERATE_STATS_EXT
    forward_scale = 2634,         // SDPA_FWD_ATTN_SCALE_VALUE_EXT
    forward_right_bound = 2636,   // SDPA_FWD_RIGHT_BOUND_EXT
    forward_alignment = 2638,     // SDPA_FWD_DIAGONAL_ALIGNMENT_EXT
    forward_precision = 2641,     // SDPA_FWD_COMP_TYPE_EXT
    backward_q = 3100,            // OPERATION_SDPA_BWD_Q_EXT
    backward_k = 3101,            // OPERATION_SDPA_BWD_K_EXT
    backward_v = 3102,            // OPERATION_SDPA_BWD_V_EXT
    backward_o = 3103,            // OPERATION_SDPA_BWD_O_EXT
    backward_do = 3104,           // OPERATION_SDPA_BWD_DO_EXT
    backward_stats = 3105,        // OPERATION_SDPA_BWD_STATS_EXT
    backward_dq = 3106,           // OPERATION_SDPA_BWD_DQ_EXT
    backward_dk = 3107,           // OPERATION_SDPA_BWD_DK_EXT
    backward_dv = 3108,           // OPERATION_SDPA_BWD_DV_EXT
    backward_scale = 3124,        // SDPA_BWD_ATTN_SCALE_VALUE_EXT
    backward_right_bound = 3126,  // SDPA_BWD_RIGHT_BOUND_EXT
    backward_alignment = 3127,    // SDPA_BWD_DIAGONAL_ALIGNMENT_EXT
    backward_precision = 3128,    // SDPA_BWD_COMP_TYPE_EXT
  };
  enum Type : int {           // HIPDNN_TYPE_...
    type_handle = 0,          // HANDLE
    type_data_type = 1,       // DATA_TYPE
    type_boolean = 2,         // BOOLEAN
    type_int64 = 3,           // INT64
    type_float = 4,           // FLOAT
    type_pointer = 6,         // VOID_PTR
    type_heuristic_mode = 7,  // HEUR_MODE
    type_descriptor = 13,     // BACKEND_DESCRIPTOR
    type_alignment = 26,      // DIAGONAL_ALIGNMENT
  };
  enum Data : int {  // HIPDNN_DATA_...
    data_f32 = 0,    // FLOAT
    data_f16 = 2,    // HALF
    data_bf16 = 6,   // BFLOAT16
  };
  static constexpr int heuristic = 0;     // HIPDNN_HEUR_MODE_FALLBACK, the only one there is
  static constexpr int bottom_right = 1;  // HIPDNN_DIAGONAL_ALIGNMENT_BOTTOM_RIGHT_EXT
  static constexpr bool plan_needs_handle = false;
  static constexpr bool results_need_finalizing = true;

  Library library{"libhipdnn_backend.so.1", "libhipdnn_backend.so.0", "libhipdnn_backend.so"};

  template <class Function>
  Function* find(const char* name) {
    return library.find<Function>(name);
  }
  int (*create_handle)(void**) = find<int(void**)>("hipdnnCreate");
  int (*set_stream)(void*,
                    gpu::StreamHandle) = find<int(void*, gpu::StreamHandle)>("hipdnnSetStream");
  const char* (*error_string)(int) = find<const char*(int)>("hipdnnGetErrorString");
  int (*create)(int, void**) = find<int(int, void**)>("hipdnnBackendCreateDescriptor");
  int (*destroy)(void*) = find<int(void*)>("hipdnnBackendDestroyDescriptor");
  int (*finalize)(void*) = find<int(void*)>("hipdnnBackendFinalize");
  using Set = int(void*, int, int, std::int64_t, const void*);
  Set* set = find<Set>("hipdnnBackendSetAttribute");
  using Get = int(void*, int, int, std::int64_t, std::int64_t*, void*);
  Get* get = find<Get>("hipdnnBackendGetAttribute");
  int (*execute)(void*, void*, void*) = find<int(void*, void*, void*)>("hipdnnBackendExecute");
  const char* (*version_string)() = library.find_optional<const char*()>("hipdnnVersionString_ext");

  void* handle(int device) const;  // selects the device; made at first use, never destroyed
  std::string version() const;
  const char* name(int status) const { return error_string(status); }
};

}  // namespace steelyard::hip
