// SPDX-License-Identifier: Apache-2.0
// Attention by hipDNN, opened when the first row asks for it, as one operation of its graphs: which
// engine does it, if any, is up to the plugins that are installed. (MIOpen's own attention takes no
// grouped queries, returns no logarithms of the sums and aligns its causal mask at the beginning.)
// Not yet run on a GPU.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "backends/gpu/device.h"
#include "backends/gpu/operation_graph.h"
#include "backends/hip/hipdnn_api.h"
#include "backends/hip/kernels.h"

namespace steelyard::hip {

void* HipDnn::handle(int device) const {
  static std::map<int, void*> handles;
  gpu::check(gpu::select_device(device));
  void*& made = handles[device];
  if (made == nullptr) gpu::check(*this, create_handle(&made), "hipDNN's handle");
  return made;
}

std::string HipDnn::version() const {
  return version_string == nullptr ? "hipDNN" : fmt::format("hipDNN {}", version_string());
}

namespace {

using Descriptor = gpu::Descriptor<HipDnn>;

const HipDnn& hipdnn() {
  static const HipDnn& opened = *new HipDnn;  // closing it at exit would be too late
  return opened;
}

// An operand of the problem and the attribute of the operation that it is.
struct Role {
  std::string_view operand;
  int attribute;
};

const std::vector<Role>& roles(Pass pass) {
  static const std::vector<Role> forward = {{"q", HipDnn::forward_q},
                                            {"k", HipDnn::forward_k},
                                            {"v", HipDnn::forward_v},
                                            {"o", HipDnn::forward_o},
                                            {"lse", HipDnn::forward_stats}};
  static const std::vector<Role> backward = {
      {"q", HipDnn::backward_q},   {"k", HipDnn::backward_k},       {"v", HipDnn::backward_v},
      {"o", HipDnn::backward_o},   {"lse", HipDnn::backward_stats}, {"do", HipDnn::backward_do},
      {"dq", HipDnn::backward_dq}, {"dk", HipDnn::backward_dk},     {"dv", HipDnn::backward_dv}};
  return pass == Pass::backward ? backward : forward;
}

// [batch, tokens, heads, head_dim] in memory, described as [batch, heads, tokens, head_dim]; sums of
// rows [batch, heads, queries] as [batch, heads, queries, 1].
Descriptor describe(const Attention& p, std::string_view operand, std::int64_t id) {
  const bool of_keys = operand == "k" || operand == "v" || operand == "dk" || operand == "dv";
  const std::int64_t heads = of_keys ? p.kv_heads : p.heads;
  const std::int64_t tokens = of_keys ? p.keys : p.queries, width = p.head_dim;
  std::vector<std::int64_t> dimensions = {p.batch, heads, tokens, width};
  std::vector<std::int64_t> strides = {tokens * heads * width, width, heads * width, 1};
  int type = p.dtype == DType::f16 ? HipDnn::data_f16 : HipDnn::data_bf16;
  if (operand == "lse") {
    dimensions = {p.batch, heads, tokens, 1};
    strides = {heads * tokens, tokens, 1, 1};
    type = HipDnn::data_f32;
  }
  Descriptor tensor(hipdnn(), HipDnn::tensor);
  tensor.set(HipDnn::tensor_id, id)
      .set_enumerator(HipDnn::tensor_type, HipDnn::type_data_type, type)
      .set(HipDnn::tensor_dimensions, dimensions)
      .set(HipDnn::tensor_strides, strides)
      .finalize();
  return tensor;
}

// One operation and the plan for it.
class Operation {
 public:
  Operation(int device, const Attention& p)
      : handle_(hipdnn().handle(device)),
        roles_(roles(p.pass)),
        operation_(make_operation(p)),
        plan_(hipdnn(), handle_, operation_) {}

  // Comes before an execution.
  void build() {
    plan_.build();
    workspace_ = gpu::Buffer<std::byte>(static_cast<std::size_t>(plan_.workspace_bytes()));
  }

  void execute(const Arguments& arguments, gpu::StreamHandle stream) {
    std::map<std::int64_t, void*> values;
    for (std::size_t i = 0; i < roles_.size(); ++i)
      values[static_cast<std::int64_t>(i) + 1] = arguments.data(roles_[i].operand);
    gpu::check(hipdnn(), hipdnn().set_stream(handle_, stream), "the stream");
    plan_.execute(values, workspace_.data());
  }

  std::string detail() const {
    return fmt::format("{}, engine {}, {} bytes of workspace", hipdnn().version(), plan_.engine(),
                       plan_.workspace_bytes());
  }

 private:
  std::vector<Descriptor> make_operation(const Attention& p) {
    const bool backward = p.pass == Pass::backward;
    std::vector<Descriptor> made;
    Descriptor& operation = made.emplace_back(
        hipdnn(), backward ? HipDnn::attention_backward : HipDnn::attention_forward);
    for (const Role& role : roles_) {
      const auto id = static_cast<std::int64_t>(tensors_.size()) + 1;
      operation.set(role.attribute, tensors_.emplace_back(describe(p, role.operand, id)));
    }
    if (!backward) operation.set(HipDnn::forward_makes_stats, true);
    if (p.causal)  // no key behind the diagonal that ends in the last query's last key
      operation
          .set(backward ? HipDnn::backward_right_bound : HipDnn::forward_right_bound,
               std::int64_t{0})
          .set_enumerator(backward ? HipDnn::backward_alignment : HipDnn::forward_alignment,
                          HipDnn::type_alignment, HipDnn::bottom_right);
    operation
        .set(backward ? HipDnn::backward_scale : HipDnn::forward_scale,
             static_cast<float>(1 / std::sqrt(static_cast<double>(p.head_dim))))
        .set_enumerator(backward ? HipDnn::backward_precision : HipDnn::forward_precision,
                        HipDnn::type_data_type, HipDnn::data_f32)
        .finalize();
    return made;
  }

  void* handle_;
  const std::vector<Role>& roles_;
  std::vector<Descriptor> tensors_, operation_;
  gpu::ExecutionPlan<HipDnn> plan_;
  gpu::Buffer<std::byte> workspace_;
};

Support supports(const Attention& p, const DeviceInfo& info) {
  if (p.pass == Pass::decode)
    return {Support::no, "hipDNN is set up for whole passes, not for reading a cache"};
  if (p.dtype != DType::bf16 && p.dtype != DType::f16)
    return {Support::no,
            fmt::format("hipDNN's attention takes bf16 and f16, not {}", name(p.dtype))};
  if (const std::string reason = gpu::obstacle(hipdnn().library, info); !reason.empty())
    return {Support::no, reason};
  return gpu::ask([&]() -> Support {
    const Operation asked(info.index, p);
    if (p.pass == Pass::forward) return {};
    Attention forward = p;  // which makes what the backward pass starts from
    forward.pass = Pass::forward;
    const Operation asked_too(info.index, forward);
    return {};
  });
}

std::shared_ptr<Operation> make_operation(const gpu::GpuDevice& device, const Attention& p) {
  const auto made = std::make_shared<Operation>(device.info().index, p);
  made->build();
  return made;
}

std::unique_ptr<Run> prepare(gpu::GpuDevice& device, const Attention& p, const Inputs& inputs) {
  const auto body = [&device](const std::shared_ptr<Operation>& operation) -> Body {
    return [=, &device](const Arguments& arguments) {
      operation->execute(arguments, device.stream());
    };
  };
  (void)device.stream();  // selects the device
  const auto operation = make_operation(device, p);
  RunOptions options = {.detail = operation->detail()};
  if (p.pass == Pass::backward) {
    Attention forward = p;
    forward.pass = Pass::forward;
    options.ahead = body(make_operation(device, forward));
  }
  return make_run(device, p, inputs, body(operation), std::move(options));
}

}  // namespace

std::span<const Kernel> hipdnn_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("hipdnn", Tier::library)};
  return table;
}

}  // namespace steelyard::hip
