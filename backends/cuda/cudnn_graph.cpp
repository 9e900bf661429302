// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/cudnn_graph.h"

#include <cstring>
#include <utility>

namespace steelyard::cuda {

namespace {

constexpr std::int64_t alignment = 16;  // of every tensor's first byte, in bytes

}  // namespace

Extents packed(const Extents& dimensions) {
  Extents strides(dimensions.size(), 1);
  for (std::size_t i = dimensions.size() - 1; i > 0; --i)
    strides[i - 1] = strides[i] * dimensions[i];
  return strides;
}

Node CudnnGraph::add(Node node, bool is_virtual, bool is_by_value) {
  node.id = static_cast<std::int64_t>(tensors_.size()) + 1;
  Descriptor tensor(api_, Cudnn::tensor);
  tensor.set_enumerator(Cudnn::tensor_type, Cudnn::type_data_type, node.type)
      .set(Cudnn::tensor_dimensions, node.dimensions)
      .set(Cudnn::tensor_strides, node.strides)
      .set(Cudnn::tensor_id, node.id)
      .set(Cudnn::tensor_alignment_bytes, alignment)
      .set(Cudnn::tensor_is_virtual, is_virtual)
      .set(Cudnn::tensor_is_by_value, is_by_value)
      .finalize();
  tensors_.emplace(node.id, std::move(tensor));
  return node;
}

Node CudnnGraph::memory(std::string_view name, const Extents& dimensions, const Extents& strides,
                        int type) {
  const Node node = add({0, dimensions, strides, type}, false, false);
  ids_[name] = node.id;
  return node;
}

Node CudnnGraph::between(const Extents& dimensions, const Extents& strides, int type) {
  return add({0, dimensions, strides, type}, true, false);
}
Node CudnnGraph::between(const Extents& dimensions, int type) {
  return between(dimensions, packed(dimensions), type);
}

Node CudnnGraph::add_number(const void* value, int type) {
  const Extents one = {1, 1, 1, 1};
  const Node node = add({0, one, one, type}, false, true);
  std::memcpy(numbers_[node.id].data(), value, 4);
  return node;
}
Node CudnnGraph::number(float value) {
  return add_number(&value, Cudnn::data_f32);
}
Node CudnnGraph::number(std::int32_t value) {
  return add_number(&value, Cudnn::data_int32);
}

std::map<std::int64_t, void*> CudnnGraph::numbers() {
  std::map<std::int64_t, void*> all;
  for (auto& [id, bytes] : numbers_) all[id] = bytes.data();
  return all;
}

void CudnnGraph::pointwise(Descriptor description, const std::vector<Node>& xbt, const Node& y) {
  const Descriptor& described = descriptions_.emplace_back(std::move(description.finalize()));
  Descriptor& operation = operations_.emplace_back(api_, Cudnn::pointwise_operation);
  operation.set(Cudnn::pointwise_description, described).set(Cudnn::pointwise_y, of(y));
  constexpr int operands[] = {Cudnn::pointwise_x, Cudnn::pointwise_b, Cudnn::pointwise_t};
  for (std::size_t i = 0; i < xbt.size(); ++i) operation.set(operands[i], of(xbt[i]));
  operation.finalize();
}

void CudnnGraph::pointwise(int mode, const std::vector<Node>& xbt, const Node& y, int precision) {
  Descriptor description(api_, Cudnn::pointwise);
  description.set_enumerator(Cudnn::pointwise_mode, Cudnn::type_pointwise_mode, mode)
      .set_enumerator(Cudnn::pointwise_precision, Cudnn::type_data_type, precision);
  pointwise(std::move(description), xbt, y);
}

Node CudnnGraph::pointwise(int mode, const std::vector<Node>& xbt, int type, int precision) {
  const Node y = between(xbt[0].dimensions, type);
  pointwise(mode, xbt, y, precision);
  return y;
}

Node CudnnGraph::index(const Node& like, std::int64_t axis) {
  const Node y = between(like.dimensions, Cudnn::data_int32);
  Descriptor description(api_, Cudnn::pointwise);
  description.set_enumerator(Cudnn::pointwise_mode, Cudnn::type_pointwise_mode, Cudnn::index)
      .set_enumerator(Cudnn::pointwise_precision, Cudnn::type_data_type, Cudnn::data_f32)
      .set(Cudnn::pointwise_axis, axis);
  pointwise(std::move(description), {like}, y);
  return y;
}

void CudnnGraph::reduce(int reduction, const Node& x, const Node& y) {
  Descriptor& description = descriptions_.emplace_back(api_, Cudnn::reduction);
  description.set_enumerator(Cudnn::reduction_operator, Cudnn::type_reduction, reduction)
      .set_enumerator(Cudnn::reduction_precision, Cudnn::type_data_type, Cudnn::data_f32)
      .finalize();
  operations_.emplace_back(api_, Cudnn::reduction_operation)
      .set(Cudnn::reduction_description, description)
      .set(Cudnn::reduction_x, of(x))
      .set(Cudnn::reduction_y, of(y))
      .finalize();
}

void CudnnGraph::multiply(const Node& a, const Node& b, const Node& c) {
  Descriptor& description = descriptions_.emplace_back(api_, Cudnn::matmul);
  description.set_enumerator(Cudnn::matmul_precision, Cudnn::type_data_type, Cudnn::data_f32)
      .finalize();
  operations_.emplace_back(api_, Cudnn::matmul_operation)
      .set(Cudnn::matmul_description, description)
      .set(Cudnn::matmul_a, of(a))
      .set(Cudnn::matmul_b, of(b))
      .set(Cudnn::matmul_c, of(c))
      .finalize();
}

void CudnnGraph::reshape(const Node& x, const Node& y) {
  operations_.emplace_back(api_, Cudnn::reshape_operation)
      .set(Cudnn::reshape_x, of(x))
      .set(Cudnn::reshape_y, of(y))
      .finalize();
}

}  // namespace steelyard::cuda
