// SPDX-License-Identifier: Apache-2.0
// Stream capture and graphs: recorded work that runs again with the arguments it was recorded with.
#include <algorithm>

#include "tests/emulated_cuda/runtime_state.h"

struct CUgraph_st {
  std::vector<emulated_cuda::Work> nodes;
};
struct CUgraphExec_st {
  std::shared_ptr<const std::vector<emulated_cuda::Work>> nodes;
};

namespace emulated_cuda {
namespace {

cudaError_t end_capture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  const std::shared_ptr<Capture> capture = stream->capture;
  if (!capture) return cudaErrorStreamCaptureUnmatched;
  for (const auto& other : runtime().streams)
    if (other->capture == capture) other->capture.reset();
  if (capture->error != cudaSuccess) return capture->error;
  *graph = new CUgraph_st{std::move(capture->nodes)};
  return cudaSuccess;
}

cudaError_t launch_graph(cudaGraphExec_t executable, cudaStream_t stream) {
  return enqueue(stream, [nodes = executable->nodes] {
    for (const Work& work : *nodes)
      if (const cudaError_t error = work(); error != cudaSuccess) return error;
    return cudaSuccess;
  });
}

}  // namespace
}  // namespace emulated_cuda

using namespace emulated_cuda;

// The default stream cannot be captured.
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  return call([=] {
    if (stream == nullptr) return cudaErrorStreamCaptureUnsupported;
    if (stream->capture) return cudaErrorInvalidValue;
    stream->capture = std::make_shared<Capture>();
    return cudaSuccess;
  });
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return call([=] { return end_capture(stream, graph); });
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  return call([=] {
    *executable = new CUgraphExec_st{std::make_shared<const std::vector<Work>>(graph->nodes)};
    return cudaSuccess;
  });
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  return call([=] { return launch_graph(executable, stream); });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
