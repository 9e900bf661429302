// SPDX-License-Identifier: Apache-2.0
// Attention by cuDNN 9, opened when the first row asks for it: forward with the logarithms of the
// sums, and backward from what that forward pass has left. Not yet run on a GPU: told of an H100,
// cuDNN 9.19 takes the graphs and compiles their kernels.
#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "backends/cuda/cudnn_attention.h"
#include "backends/cuda/kernels.h"
#include "backends/gpu/device.h"

namespace steelyard::cuda {

void* Cudnn::handle(int device) const {
  static std::map<int, void*> handles;
  gpu::check(gpu::select_device(device));
  void*& made = handles[device];
  if (made == nullptr) gpu::check(*this, create_handle(&made), "cuDNN's handle");
  return made;
}

std::string Cudnn::version() const {  // 91900 is 9.19.0
  const std::size_t number = get_version();
  return fmt::format("cuDNN {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

namespace {

constexpr std::size_t oldest_backward = 90600;  // before, dQ's sum had to be cleared beforehand

const Cudnn& cudnn() {
  static const Cudnn& opened = *new Cudnn;  // closing it at exit would be too late
  return opened;
}

// A graph made ready on a device.
class Graph {
 public:
  Graph(int device, CudnnGraph graph)
      : handle_(cudnn().handle(device)),
        graph_(std::move(graph)),
        plan_(cudnn(), handle_, graph_.operations()),
        values_(graph_.numbers()) {}

  // Comes before an execution.
  void build() {
    plan_.build();
    workspace_ = gpu::Buffer<std::byte>(static_cast<std::size_t>(plan_.workspace_bytes()));
  }

  void bind(std::string_view name, void* memory) { values_[graph_.id(name)] = memory; }
  // Binds memory that goes with the graph.
  void bind_own(std::string_view name, std::int64_t f32_values) {
    bind(name, own_.emplace_back(static_cast<std::size_t>(f32_values)).data());
  }

  void execute(gpu::StreamHandle stream) {
    gpu::check(cudnn(), cudnn().set_stream(handle_, stream), "the stream");
    plan_.execute(values_, workspace_.data());
  }

  std::string detail() const {
    return fmt::format("{}, engine {}, {} bytes of workspace", cudnn().version(), plan_.engine(),
                       plan_.workspace_bytes());
  }

 private:
  void* handle_;
  CudnnGraph graph_;
  gpu::ExecutionPlan<Cudnn> plan_;
  std::map<std::int64_t, void*> values_;
  gpu::Buffer<std::byte> workspace_;
  std::vector<gpu::Buffer<float>> own_;
};

CudnnGraph graph_of(const Attention& p) {
  return p.pass == Pass::backward ? backward_graph(cudnn(), p) : forward_graph(cudnn(), p);
}

Support supports(const Attention& p, const DeviceInfo& info) {
  if (p.pass == Pass::decode)
    return {Support::no, "cuDNN is set up for whole passes, not for reading a cache"};
  if (p.dtype != DType::bf16 && p.dtype != DType::f16)
    return {Support::no,
            fmt::format("cuDNN's attention takes bf16 and f16, not {}", name(p.dtype))};
  if (const std::string reason = gpu::obstacle(cudnn().library, info); !reason.empty())
    return {Support::no, reason};
  if (p.pass == Pass::backward && cudnn().get_version() < oldest_backward)
    return {Support::no, cudnn().version() + " is too old for its backward pass: 9.6 or newer"};
  return gpu::ask([&]() -> Support {
    cudnn().handle(info.index);
    const Graph asked(info.index, graph_of(p));
    return {};
  });
}

void execute(Graph& graph, std::initializer_list<std::string_view> names,
             const Arguments& arguments, gpu::StreamHandle stream) {
  for (const std::string_view name : names) graph.bind(name, arguments.data(name));
  graph.execute(stream);
}

Body forward(gpu::GpuDevice& device, const std::shared_ptr<Graph>& graph) {
  return [=, &device](const Arguments& arguments) {
    execute(*graph, {"q", "k", "v", "o", "lse"}, arguments, device.stream());
  };
}

std::unique_ptr<Run> prepare_forward(gpu::GpuDevice& device, const Attention& p,
                                     const Inputs& inputs) {
  const auto graph = std::make_shared<Graph>(device.info().index, forward_graph(cudnn(), p));
  graph->build();
  return make_run(device, p, inputs, forward(device, graph), {.detail = graph->detail()});
}

std::unique_ptr<Run> prepare_backward(gpu::GpuDevice& device, const Attention& p,
                                      const Inputs& inputs) {
  const auto ahead = std::make_shared<Graph>(device.info().index, forward_graph(cudnn(), p));
  ahead->build();
  const auto graph = std::make_shared<Graph>(device.info().index, backward_graph(cudnn(), p));
  graph->build();
  const std::int64_t rows = p.batch * p.heads * p.queries;
  graph->bind_own(row_sum, rows);
  graph->bind_own(dq_sum, rows * p.head_dim);
  return make_run(device, p, inputs,
                  [=, &device](const Arguments& arguments) {
                    execute(*graph, {"q", "k", "v", "o", "lse", "do", "dq", "dk", "dv"}, arguments,
                            device.stream());
                  },
                  {.detail = graph->detail(), .ahead = forward(device, ahead)});
}

std::unique_ptr<Run> prepare(gpu::GpuDevice& device, const Attention& p, const Inputs& inputs) {
  (void)device.stream();  // selects the device
  return p.pass == Pass::backward ? prepare_backward(device, p, inputs)
                                  : prepare_forward(device, p, inputs);
}

}  // namespace

std::span<const Kernel> cudnn_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("cudnn", Tier::library)};
  return table;
}

}  // namespace steelyard::cuda
