// SPDX-License-Identifier: Apache-2.0
// A double of cuDNN for emulated devices. Its heuristic counts three engines, of which its checks let
// two pass, of which the first cannot be built. It takes heads of at most 128 values.
#include <cstring>
#include <memory>

#include "backends/cuda/cudnn_api.h"
#include "tests/doubles/emulated_work.h"
#include "tests/doubles/graph_interpreter.h"
#include "tests/doubles/stored_descriptor.h"

using steelyard::DType;
using steelyard::cuda::Cudnn;
using namespace steelyard::doubles;

namespace {

constexpr int success = 0, bad_parameter = 2000, not_supported = 3000, unsupported_shape = 3002;
constexpr std::int64_t engines[] = {7, 42};

using Descriptor = StoredDescriptor;

std::size_t size_of(int type) {
  switch (type) {
    case Cudnn::type_boolean:
      return 1;
    case Cudnn::type_handle:
    case Cudnn::type_int64:
    case Cudnn::type_pointer:
    case Cudnn::type_descriptor:
      return 8;
    default:
      return 4;  // enumerations
  }
}

DType type_of(int number) {
  switch (number) {
    case Cudnn::data_f16:
      return DType::f16;
    case Cudnn::data_bf16:
      return DType::bf16;
    case Cudnn::data_int32:
      return DType::int32;
    case Cudnn::data_bool:
      return DType::int8;
    default:
      return DType::f32;
  }
}

GraphTensor tensor_of(const Descriptor& descriptor) {
  GraphTensor tensor = {
      .id = descriptor.value<std::int64_t>(Cudnn::tensor_id),
      .type = type_of(descriptor.value<int>(Cudnn::tensor_type)),
      .is_virtual = descriptor.value<std::uint8_t>(Cudnn::tensor_is_virtual) != 0};
  const auto dimensions = descriptor.values<std::int64_t>(Cudnn::tensor_dimensions);
  const auto strides = descriptor.values<std::int64_t>(Cudnn::tensor_strides);
  std::copy_n(dimensions.begin(), 4, tensor.dimensions.begin());
  std::copy_n(strides.begin(), 4, tensor.strides.begin());
  return tensor;
}

std::function<double(const std::vector<double>&)> function_of(int mode) {
  using Arguments = const std::vector<double>&;
  switch (mode) {
    case Cudnn::add:
      return [](Arguments x) { return x.at(0) + x.at(1); };
    case Cudnn::mul:
      return [](Arguments x) { return x.at(0) * x.at(1); };
    case Cudnn::div:
      return [](Arguments x) { return x.at(0) / x.at(1); };
    case Cudnn::sub:
      return [](Arguments x) { return x.at(0) - x.at(1); };
    case Cudnn::exp:
      return [](Arguments x) { return std::exp(x.at(0)); };
    case Cudnn::log:
      return [](Arguments x) { return std::log(x.at(0)); };
    case Cudnn::identity:
      return [](Arguments x) { return x.at(0); };
    case Cudnn::greater_or_equal:
      return [](Arguments x) { return x.at(0) >= x.at(1) ? 1. : 0.; };
    case Cudnn::select:
      return [](Arguments x) { return x.at(2) != 0 ? x.at(0) : x.at(1); };
    default:
      return {};
  }
}

GraphOperation operation_of(const Descriptor& from) {
  const auto tensor = [&](int attribute) { return tensor_of(from.descriptor(attribute)); };
  switch (from.type) {
    case Cudnn::matmul_operation:
      return {.kind = GraphOperation::matmul,
              .inputs = {tensor(Cudnn::matmul_a), tensor(Cudnn::matmul_b)},
              .output = tensor(Cudnn::matmul_c)};
    case Cudnn::reshape_operation:
      return {.kind = GraphOperation::reshape,
              .inputs = {tensor(Cudnn::reshape_x)},
              .output = tensor(Cudnn::reshape_y)};
    case Cudnn::reduction_operation:
      return {
          .kind = GraphOperation::reduction,
          .inputs = {tensor(Cudnn::reduction_x)},
          .output = tensor(Cudnn::reduction_y),
          .takes_largest =
              from.descriptor(Cudnn::reduction_description).value<int>(Cudnn::reduction_operator) ==
              Cudnn::reduce_max};
    default:
      break;
  }
  const Descriptor& description = from.descriptor(Cudnn::pointwise_description);
  const int mode = description.value<int>(Cudnn::pointwise_mode);
  GraphOperation operation = {.output = tensor(Cudnn::pointwise_y), .function = function_of(mode)};
  if (mode == Cudnn::index)
    operation.index_axis = static_cast<int>(description.value<std::int64_t>(Cudnn::pointwise_axis));
  for (const int input : {Cudnn::pointwise_x, Cudnn::pointwise_b, Cudnn::pointwise_t})
    if (from.attributes.contains(input)) operation.inputs.push_back(tensor(input));
  return operation;
}

std::vector<GraphOperation> operations_of(const Descriptor& graph) {
  std::vector<GraphOperation> all;
  for (const Descriptor* operation : graph.values<const Descriptor*>(Cudnn::graph_operations))
    all.push_back(operation_of(*operation));
  return all;
}

int check_graph(const Descriptor& graph) {
  for (const GraphOperation& operation : operations_of(graph)) {
    if (operation.kind != GraphOperation::matmul) continue;
    const auto& [batch, heads, rows, columns] = operation.inputs[1].dimensions;
    if (rows > 128 && columns < rows) return unsupported_shape;
  }
  return success;
}

int execute(const Descriptor& plan, const Descriptor& pack) {
  auto memory = memories(pack, Cudnn::pack_ids, Cudnn::pack_pointers);
  auto numbers = std::make_shared<std::map<std::int64_t, std::array<std::byte, 4>>>();
  const std::vector<GraphOperation> operations = operations_of(*plan.graph);
  for (const GraphOperation& operation : operations)
    for (const GraphTensor& input : operation.inputs)
      if (!input.is_virtual && input.span() == 1 && !numbers->contains(input.id)) {
        auto& copied = (*numbers)[input.id];  // a number passed by value is read right away
        std::memcpy(copied.data(), memory.at(input.id), copied.size());
        memory[input.id] = copied.data();
      }
  const auto work = [memory, numbers, operations] {
    GraphInterpreter interpreter(memory);
    for (const GraphOperation& operation : operations) interpreter.run(operation);
  };
  const auto stream = plan.value<void**>(Cudnn::plan_handle);
  return enqueue(static_cast<cudaStream_t>(*stream), std::chrono::microseconds(0), work)
             ? success
             : bad_parameter;
}

Descriptor& of(void* descriptor) {
  return *static_cast<Descriptor*>(descriptor);
}

}  // namespace

extern "C" {

// A handle is the place of its stream.
int cudnnCreate(void** handle) {
  static void* stream = nullptr;
  *handle = &stream;
  return success;
}
int cudnnSetStream(void* handle, cudaStream_t stream) {
  *static_cast<void**>(handle) = stream;
  return success;
}
std::size_t cudnnGetVersion() {
  return 91900;
}
const char* cudnnGetErrorString(int status) {
  return status == unsupported_shape ? "CUDNN_STATUS_NOT_SUPPORTED_SHAPE"
                                     : "CUDNN_STATUS_BAD_PARAM";
}
int cudnnBackendCreateDescriptor(int type, void** descriptor) {
  *descriptor = new Descriptor{.type = type};
  return success;
}
int cudnnBackendDestroyDescriptor(void* descriptor) {
  delete &of(descriptor);
  return success;
}
int cudnnBackendSetAttribute(void* descriptor, int attribute, int type, std::int64_t count,
                             const void* values) {
  of(descriptor).set(attribute, values, static_cast<std::size_t>(count) * size_of(type));
  return success;
}
int cudnnBackendFinalize(void* raw) {
  Descriptor& descriptor = of(raw);
  if (descriptor.type == Cudnn::operation_graph) return check_graph(descriptor);
  if (descriptor.type != Cudnn::execution_plan) return success;
  const Descriptor& configuration = descriptor.descriptor(Cudnn::plan_configuration);
  descriptor.graph = configuration.graph;
  return configuration.engine == engines[0] ? not_supported : success;
}
int cudnnBackendGetAttribute(void* raw, int attribute, int, std::int64_t requested,
                             std::int64_t* count, void* values) {
  const Descriptor& descriptor = of(raw);
  const auto results = static_cast<void**>(values);
  *count = 1;
  switch (attribute) {
    case Cudnn::heuristic_results:
      *count = std::ssize(engines) + (requested == 0 ? 1 : 0);
      for (std::int64_t i = 0; i < std::min(requested, *count); ++i) {
        of(results[i]).engine = engines[i];
        of(results[i]).graph = &descriptor.descriptor(Cudnn::heuristic_graph);
      }
      return success;
    case Cudnn::configuration_engine:
      of(results[0]).engine = descriptor.engine;
      return success;
    case Cudnn::engine_index:
      *static_cast<std::int64_t*>(values) = descriptor.engine;
      return success;
    case Cudnn::plan_workspace_bytes:
      *static_cast<std::int64_t*>(values) = 512;
      return success;
    default:
      return bad_parameter;
  }
}
int cudnnBackendExecute(void*, void* plan, void* pack) {
  return execute(of(plan), of(pack));
}

}  // extern "C"
