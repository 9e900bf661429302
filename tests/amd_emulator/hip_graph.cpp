// SPDX-License-Identifier: Apache-2.0
// Stream capture and graphs: recorded work that runs again with the arguments it was recorded with.
#include "tests/amd_emulator/runtime.h"

struct ihipGraph {
  std::vector<amd_emulator::Work> nodes;
};
struct hipGraphExec {
  std::shared_ptr<const std::vector<amd_emulator::Work>> nodes;
};

using namespace amd_emulator;

extern "C" {

// The null stream cannot be captured.
hipError_t hipStreamBeginCapture(hipStream_t stream, hipStreamCaptureMode) {
  return call([=] {
    if (stream == nullptr) return hipErrorStreamCaptureUnsupported;
    if (stream->capture) return hipErrorInvalidValue;
    stream->capture = std::make_shared<Capture>();
    return hipSuccess;
  });
}
hipError_t hipStreamEndCapture(hipStream_t stream, hipGraph_t* graph) {
  *graph = nullptr;
  return call([=] {
    if (stream == nullptr || !stream->capture) return hipErrorIllegalState;
    const std::shared_ptr<Capture> capture = std::move(stream->capture);
    stream->capture = nullptr;
    if (!capture->valid) return hipErrorStreamCaptureInvalidated;
    *graph = new ihipGraph{std::move(capture->nodes)};
    return hipSuccess;
  });
}
hipError_t hipGraphInstantiateWithFlags(hipGraphExec_t* executable, hipGraph_t graph,
                                        unsigned long long) {
  return call([=] {
    if (graph == nullptr) return hipErrorInvalidValue;
    *executable = new hipGraphExec{std::make_shared<const std::vector<Work>>(graph->nodes)};
    return hipSuccess;
  });
}
hipError_t hipGraphLaunch(hipGraphExec_t executable, hipStream_t stream) {
  return call([=] {
    if (executable == nullptr) return hipErrorInvalidValue;
    return enqueue(stream, [nodes = executable->nodes] {
      for (const Work& work : *nodes) work();
    });
  });
}
hipError_t hipGraphDestroy(hipGraph_t graph) {
  delete graph;
  return hipSuccess;
}
hipError_t hipGraphExecDestroy(hipGraphExec_t executable) {
  delete executable;
  return hipSuccess;
}

}  // extern "C"
