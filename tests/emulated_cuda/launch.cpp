// SPDX-License-Identifier: Apache-2.0
// Launches: what the device refuses at once, and what goes wrong while a kernel runs.
#include <fmt/format.h>

#include <cstdio>

#include "tests/emulated_cuda/block.h"
#include "tests/emulated_cuda/emulation.h"
#include "tests/emulated_cuda/runtime_state.h"
#include "tests/emulated_cuda/symbols.h"

namespace emulated_cuda {
namespace {

constexpr std::size_t default_shared_bytes = 48 << 10;
constexpr unsigned threads_per_block = 1024, threads_per_multiprocessor = 2048;
constexpr int blocks_per_multiprocessor = 32;
constexpr std::size_t reserved_shared_bytes = 1 << 10;  // of every block

bool within(const dim3& extent, unsigned x, unsigned y, unsigned z) {
  return extent.x >= 1 && extent.y >= 1 && extent.z >= 1 && extent.x <= x && extent.y <= y &&
         extent.z <= z;
}

std::size_t allowed_shared_bytes(const void* kernel) {
  const auto found = runtime().allowed_shared_bytes.find(kernel);
  return found == runtime().allowed_shared_bytes.end() ? default_shared_bytes
                                                       : static_cast<std::size_t>(found->second);
}

cudaError_t refuse(const cudaLaunchConfig_t& config, const void* kernel) {
  if (config.numAttrs > 0) return cudaErrorNotSupported;
  if (!within(config.blockDim, 1024, 1024, 64) ||
      !within(config.gridDim, 0x7fffffff, 65535, 65535) ||
      config.blockDim.x * config.blockDim.y * config.blockDim.z > threads_per_block)
    return cudaErrorInvalidConfiguration;
  if (config.dynamicSmemBytes > allowed_shared_bytes(kernel) ||
      config.dynamicSmemBytes + shared_bytes_of(kernel) > current_model().shared_bytes_per_block)
    return cudaErrorInvalidValue;
  if (must_fail(Failure::launch)) return cudaErrorLaunchOutOfResources;
  return cudaSuccess;
}

cudaError_t run_kernel(const Launch& launch) {
  if (must_fail(Failure::device_lost)) return cudaErrorIllegalAddress;
  const std::optional<std::string> fault = run(launch);
  if (!fault) return cudaSuccess;
  runtime().last_fault = *fault;
  std::fputs(fmt::format("emulated CUDA: {}\n", *fault).c_str(), stderr);
  return cudaErrorLaunchFailure;
}

}  // namespace

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel,
                   std::function<void()> body) {
  return call([&] {
    if (const cudaError_t error = refuse(config, kernel)) return error;
    return enqueue(config.stream,
                   [work = Launch{kernel, config.gridDim, config.blockDim, config.dynamicSmemBytes,
                                  std::move(body)}] { return run_kernel(work); });
  });
}

}  // namespace emulated_cuda

using namespace emulated_cuda;

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  return call([=] {
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
        static_cast<std::size_t>(value) + shared_bytes_of(kernel) >
            current_model().shared_bytes_per_block)
      return cudaErrorInvalidValue;
    runtime().allowed_shared_bytes[kernel] = value;
    return cudaSuccess;
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  return call([=] {
    const int version = current_model().major * 10 + current_model().minor;
    *attributes = {.sharedSizeBytes = shared_bytes_of(kernel),
                   .maxDynamicSharedSizeBytes = static_cast<int>(allowed_shared_bytes(kernel)),
                   .maxThreadsPerBlock = threads_per_block,
                   .binaryVersion = version,
                   .ptxVersion = version};
    return cudaSuccess;
  });
}

// By threads and shared memory; the registers that a kernel needs are unknown here.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel,
                                                          int threads, std::size_t shared_bytes) {
  return call([=] {
    if (threads < 1 || threads > static_cast<int>(threads_per_block)) return cudaErrorInvalidValue;
    const std::size_t used = shared_bytes_of(kernel) + shared_bytes + reserved_shared_bytes;
    const auto by_shared = static_cast<int>(current_model().shared_bytes_per_multiprocessor / used);
    const int whole_warps = (threads + 31) / 32 * 32;
    const int by_threads = static_cast<int>(threads_per_multiprocessor) / whole_warps;
    *blocks = std::min({by_threads, by_shared, blocks_per_multiprocessor});
    return cudaSuccess;
  });
}
