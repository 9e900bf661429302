// SPDX-License-Identifier: Apache-2.0
// A double of hipDNN for emulated devices: attention by its definition, on the tensors that it is
// told. It has one engine, and takes heads of at most 128 values.
#include "backends/hip/hipdnn_api.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "tests/doubles/emulated_work.h"
#include "tests/doubles/graph_interpreter.h"
#include "tests/doubles/stored_descriptor.h"

using steelyard::DType;
using steelyard::hip::HipDnn;
using namespace steelyard::doubles;
using Descriptor = StoredDescriptor;

namespace {

constexpr int success = 0, bad_parameter = 3, not_supported = 9;

std::size_t size_of(int type) {
  switch (type) {
    case HipDnn::type_boolean:
      return 1;
    case HipDnn::type_handle:
    case HipDnn::type_int64:
    case HipDnn::type_pointer:
    case HipDnn::type_descriptor:
      return 8;
    default:
      return 4;  // floats and enumerations
  }
}

// A tensor [batch, heads, tokens, head_dim] with its memory.
struct Values {
  GraphTensor shape;
  void* memory = nullptr;

  std::int64_t offset(std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t d) const {
    return shape.offset({b, h, t, d});
  }
  double at(std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t d) const {
    return steelyard::load(shape.type, memory, offset(b, h, t, d));
  }
  void put(std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t d, double value) const {
    steelyard::store(shape.type, memory, offset(b, h, t, d), value);
  }
};

GraphTensor shape_of(const Descriptor& tensor) {
  const int type = tensor.value<int>(HipDnn::tensor_type);
  GraphTensor shape = {.id = tensor.value<std::int64_t>(HipDnn::tensor_id),
                       .type = type == HipDnn::data_bf16  ? DType::bf16
                               : type == HipDnn::data_f16 ? DType::f16
                                                          : DType::f32};
  const auto dimensions = tensor.values<std::int64_t>(HipDnn::tensor_dimensions);
  const auto strides = tensor.values<std::int64_t>(HipDnn::tensor_strides);
  std::copy_n(dimensions.begin(), 4, shape.dimensions.begin());
  std::copy_n(strides.begin(), 4, shape.strides.begin());
  return shape;
}

struct Attention {
  Values q, k, v, o, stats, d_o, dq, dk, dv;
  bool is_backward = false;
  double scale = 0;
  bool masked = false, at_end = false;

  std::int64_t batch() const { return q.shape.dimensions[0]; }
  std::int64_t heads() const { return q.shape.dimensions[1]; }
  std::int64_t queries() const { return q.shape.dimensions[2]; }
  std::int64_t keys() const { return k.shape.dimensions[2]; }
  std::int64_t width() const { return q.shape.dimensions[3]; }
  std::int64_t kv_head(std::int64_t head) const { return head / (heads() / k.shape.dimensions[1]); }
  // Keys that query i sees.
  std::int64_t seen(std::int64_t i) const {
    return masked ? i + 1 + (at_end ? keys() - queries() : 0) : keys();
  }
  double score(std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j) const {
    double sum = 0;
    for (std::int64_t d = 0; d < width(); ++d) sum += q.at(b, h, i, d) * k.at(b, kv_head(h), j, d);
    return scale * sum;
  }
};

void forward_row(const Attention& a, std::int64_t b, std::int64_t h, std::int64_t i) {
  std::vector<double> weights;
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (std::int64_t j = 0; j < a.seen(i); ++j) weights.push_back(a.score(b, h, i, j));
  for (const double score : weights) largest = std::max(largest, score);
  for (double& weight : weights) sum += weight = std::exp(weight - largest);
  for (std::int64_t d = 0; d < a.width(); ++d) {
    double mean = 0;
    for (std::size_t j = 0; j < weights.size(); ++j)
      mean += weights[j] / sum * a.v.at(b, a.kv_head(h), static_cast<std::int64_t>(j), d);
    a.o.put(b, h, i, d, mean);
  }
  a.stats.put(b, h, i, 0, largest + std::log(sum));
}

using Sums = std::vector<double>;  // of a gradient, by its tensor's offsets

void backward_row(const Attention& a, std::int64_t b, std::int64_t h, std::int64_t i, Sums& dq,
                  Sums& dk, Sums& dv) {
  const std::int64_t kv = a.kv_head(h);
  double row_sum = 0;
  for (std::int64_t d = 0; d < a.width(); ++d) row_sum += a.o.at(b, h, i, d) * a.d_o.at(b, h, i, d);
  for (std::int64_t j = 0; j < a.seen(i); ++j) {
    const double p = std::exp(a.score(b, h, i, j) - a.stats.at(b, h, i, 0));
    double dp = 0;
    for (std::int64_t d = 0; d < a.width(); ++d) dp += a.d_o.at(b, h, i, d) * a.v.at(b, kv, j, d);
    const double ds = a.scale * p * (dp - row_sum);
    const auto add = [](Sums& sums, std::int64_t offset, double value) {
      sums[static_cast<std::size_t>(offset)] += value;
    };
    for (std::int64_t d = 0; d < a.width(); ++d) {
      add(dq, a.dq.offset(b, h, i, d), ds * a.k.at(b, kv, j, d));
      add(dk, a.dk.offset(b, kv, j, d), ds * a.q.at(b, h, i, d));
      add(dv, a.dv.offset(b, kv, j, d), p * a.d_o.at(b, h, i, d));
    }
  }
}

void compute(const Attention& a) {
  const auto sums_for = [](const Values& gradient) {
    return gradient.memory == nullptr ? Sums()
                                      : Sums(static_cast<std::size_t>(gradient.shape.span()));
  };
  Sums dq = sums_for(a.dq), dk = sums_for(a.dk), dv = sums_for(a.dv);
  for (std::int64_t b = 0; b < a.batch(); ++b)
    for (std::int64_t h = 0; h < a.heads(); ++h)
      for (std::int64_t i = 0; i < a.queries(); ++i)
        if (a.is_backward)
          backward_row(a, b, h, i, dq, dk, dv);
        else
          forward_row(a, b, h, i);
  const auto write = [](const Values& gradient, const Sums& sums) {
    for (std::size_t i = 0; i < sums.size(); ++i)  // the tensors have no gaps
      steelyard::store(gradient.shape.type, gradient.memory, static_cast<std::int64_t>(i), sums[i]);
  };
  write(a.dq, dq), write(a.dk, dk), write(a.dv, dv);
}

Attention attention_of(const Descriptor& operation, const std::map<std::int64_t, void*>& memory) {
  const auto values = [&](int attribute) -> Values {
    const GraphTensor shape = shape_of(operation.descriptor(attribute));
    return {shape, memory.contains(shape.id) ? memory.at(shape.id) : nullptr};
  };
  const bool backward = operation.type == HipDnn::attention_backward;
  const auto is_set = [&](int attribute) { return operation.attributes.contains(attribute); };
  Attention a;
  a.is_backward = backward;
  a.q = values(backward ? HipDnn::backward_q : HipDnn::forward_q);
  a.k = values(backward ? HipDnn::backward_k : HipDnn::forward_k);
  a.v = values(backward ? HipDnn::backward_v : HipDnn::forward_v);
  a.o = values(backward ? HipDnn::backward_o : HipDnn::forward_o);
  a.stats = values(backward ? HipDnn::backward_stats : HipDnn::forward_stats);
  if (backward) {
    a.d_o = values(HipDnn::backward_do);
    a.dq = values(HipDnn::backward_dq);
    a.dk = values(HipDnn::backward_dk);
    a.dv = values(HipDnn::backward_dv);
  }
  const int scale = backward ? HipDnn::backward_scale : HipDnn::forward_scale;
  a.scale = static_cast<double>(operation.value<float>(scale));
  a.masked = is_set(backward ? HipDnn::backward_right_bound : HipDnn::forward_right_bound);
  const int alignment = backward ? HipDnn::backward_alignment : HipDnn::forward_alignment;
  a.at_end = is_set(alignment) && operation.value<int>(alignment) == HipDnn::bottom_right;
  return a;
}

Descriptor& of(void* descriptor) {
  return *static_cast<Descriptor*>(descriptor);
}
void* stream = nullptr;

}  // namespace

extern "C" {

int hipdnnCreate(void** handle) {
  *handle = &stream;
  return success;
}
int hipdnnSetStream(void*, cudaStream_t chosen) {
  stream = chosen;
  return success;
}
const char* hipdnnVersionString_ext() {
  return "0.9.0.double";
}
const char* hipdnnGetErrorString(int status) {
  return status == not_supported ? "HIPDNN_STATUS_NOT_SUPPORTED" : "HIPDNN_STATUS_BAD_PARAM";
}
int hipdnnBackendCreateDescriptor(int type, void** descriptor) {
  *descriptor = new Descriptor{.type = type};
  return success;
}
int hipdnnBackendDestroyDescriptor(void* descriptor) {
  delete &of(descriptor);
  return success;
}
int hipdnnBackendSetAttribute(void* descriptor, int attribute, int type, std::int64_t count,
                              const void* values) {
  if (attribute == HipDnn::plan_handle) return bad_parameter;
  of(descriptor).set(attribute, values, static_cast<std::size_t>(count) * size_of(type));
  return success;
}
// A configuration must be finalized before a plan is made of it.
int hipdnnBackendFinalize(void* raw) {
  Descriptor& descriptor = of(raw);
  if (descriptor.type == HipDnn::engine_configuration) descriptor.engine = 5;
  if (descriptor.type == HipDnn::execution_plan) {
    const Descriptor& configuration = descriptor.descriptor(HipDnn::plan_configuration);
    if (configuration.engine != 5) return bad_parameter;
    descriptor.graph = configuration.graph;
  }
  return success;
}
int hipdnnBackendGetAttribute(void* raw, int attribute, int, std::int64_t requested,
                              std::int64_t* count, void* values) {
  const Descriptor& descriptor = of(raw);
  *count = 1;
  switch (attribute) {
    case HipDnn::heuristic_results: {
      const Descriptor& graph = descriptor.descriptor(HipDnn::heuristic_graph);
      const Attention asked = attention_of(graph.descriptor(HipDnn::graph_operations), {});
      *count = asked.width() <= 128 ? 1 : 0;
      if (requested == 1) of(*static_cast<void**>(values)).graph = &graph;
      return success;
    }
    case HipDnn::configuration_engine:
      *static_cast<void**>(values) = new Descriptor{.type = HipDnn::engine, .engine = 5};
      return success;
    case HipDnn::engine_index:
      *static_cast<std::int64_t*>(values) = descriptor.engine;
      return success;
    case HipDnn::plan_workspace_bytes:
      *static_cast<std::int64_t*>(values) = 256;
      return success;
    default:
      return bad_parameter;
  }
}
int hipdnnBackendExecute(void*, void* plan, void* pack) {
  const Attention attention =
      attention_of(of(plan).graph->descriptor(HipDnn::graph_operations),
                   memories(of(pack), HipDnn::pack_ids, HipDnn::pack_pointers));
  return enqueue(static_cast<cudaStream_t>(stream), std::chrono::microseconds(0),
                 [=] { compute(attention); })
             ? success
             : bad_parameter;
}

}  // extern "C"
