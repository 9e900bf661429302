// SPDX-License-Identifier: Apache-2.0
// What it costs to launch.
//
// Idea: kernels that do nothing, one behind the other. Traffic: none. Limits: what the host needs to
// enqueue a launch, or, replayed as one graph, what the device needs to start it.
#include "backends/gpu/device.h"
#include "backends/gpu/kernels.h"

namespace steelyard::gpu {
namespace {

__global__ void nothing() {}

void launch_all(std::int64_t launches, StreamHandle stream) {
  for (std::int64_t i = 0; i < launches; ++i) launch(nothing, {}, stream);
}

Support supports(const Launch&, const DeviceInfo&) {
  return {};
}

std::unique_ptr<Run> prepare(GpuDevice& device, const Launch& p, const Inputs& inputs) {
  if (!p.graph)
    return make_run(device, p, inputs,
                    [=, &device](const Arguments&) { launch_all(p.launches, device.stream()); });
  const StreamHandle stream = device.stream();
  const auto graph =
      std::make_shared<Executable>(capture(stream, [&] { launch_all(p.launches, stream); }));
  return make_run(device, p, inputs,
                  [=, &device](const Arguments&) { check(launch(graph->get(), device.stream())); });
}

}  // namespace

std::span<const Kernel> launch_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("empty_kernel", Tier::portable)};
  return table;
}

}  // namespace steelyard::gpu
