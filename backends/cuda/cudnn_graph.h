// SPDX-License-Identifier: Apache-2.0
// A graph of operations on tensors of rank 4, [batch, heads, rows, columns], in cuDNN's descriptors.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <vector>

#include "backends/cuda/cudnn_api.h"
#include "backends/gpu/operation_graph.h"

namespace steelyard::cuda {

using Extents = std::vector<std::int64_t>;

Extents packed(const Extents& dimensions);  // strides without gaps, the last dimension contiguous

// A tensor of a graph: a memory's, a number's, or one that exists only between operations.
struct Node {
  std::int64_t id = 0;
  Extents dimensions, strides;
  int type = Cudnn::data_f32;
};

class CudnnGraph {
 public:
  explicit CudnnGraph(const Cudnn& api) : api_(api) {}

  // In memory that execution names by this name.
  Node memory(std::string_view name, const Extents& dimensions, const Extents& strides, int type);
  // A number, passed with each execution.
  Node number(float value);
  Node number(std::int32_t value);
  // Between operations.
  Node between(const Extents& dimensions, int type = Cudnn::data_f32);
  Node between(const Extents& dimensions, const Extents& strides, int type);

  // y = mode(x, b), broadcast where a dimension is 1; select also takes t.
  void pointwise(int mode, const std::vector<Node>& xbt, const Node& y,
                 int precision = Cudnn::data_f32);
  Node pointwise(int mode, const std::vector<Node>& xbt, int type = Cudnn::data_f32,
                 int precision = Cudnn::data_f32);  // into a new node of x's shape
  Node index(const Node& like, std::int64_t axis);  // int32: where an element stands along an axis
  void reduce(int operation, const Node& x, const Node& y);
  void multiply(const Node& a, const Node& b, const Node& c);
  void reshape(const Node& x, const Node& y);  // the same elements, seen with y's strides

  const std::vector<gpu::Descriptor<Cudnn>>& operations() const { return operations_; }

  // What an execution needs beside the memories.
  std::map<std::int64_t, void*> numbers();
  std::int64_t id(std::string_view memory) const { return ids_.at(memory); }

 private:
  using Descriptor = gpu::Descriptor<Cudnn>;

  Node add(Node node, bool is_virtual, bool is_by_value);
  Node add_number(const void* value, int type);
  const Descriptor& of(const Node& node) const { return tensors_.at(node.id); }
  void pointwise(Descriptor description, const std::vector<Node>& xbt, const Node& y);

  const Cudnn& api_;
  std::map<std::int64_t, Descriptor> tensors_;
  std::map<std::string_view, std::int64_t> ids_;
  std::map<std::int64_t, std::array<std::byte, 4>> numbers_;
  std::deque<Descriptor> descriptions_;  // that operations refer to
  std::vector<Descriptor> operations_;
};

}  // namespace steelyard::cuda
