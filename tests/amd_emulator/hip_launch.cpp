// SPDX-License-Identifier: Apache-2.0
// The program's kernels and their launches.
#include <fmt/format.h>

#include <algorithm>

#include "tests/amd_emulator/launch.h"
#include "tests/amd_emulator/runtime.h"

namespace amd_emulator {
namespace {

// What the compiler puts around a bundle.
struct Wrapper {
  std::uint32_t magic, version;
  const void* bundle;
  const void* unused;
};

struct CallConfiguration {
  dim3 grid, block;
  std::size_t dynamic_local_bytes;
  hipStream_t stream;
};
thread_local std::vector<CallConfiguration> call_configurations;

const DeviceModel& current_model() {
  return runtime().devices[static_cast<std::size_t>(current_device())];
}

// Loaded when it is first needed; null where the binary has nothing for the target.
CodeObject* load(FatBinary& binary, Target target) {
  std::unique_ptr<CodeObject>& loaded = binary.loaded[target];
  if (loaded == nullptr) {
    const std::span<const std::byte> elf = find_code_object(binary.bundle, target);
    if (!elf.empty()) loaded = std::make_unique<CodeObject>(elf);
  }
  return loaded.get();
}

std::uint64_t volume(dim3 size) {
  return std::uint64_t{size.x} * size.y * size.z;
}

hipError_t launch(const void* function, dim3 grid, dim3 block, void** values, std::size_t local,
                  hipStream_t stream) {
  hipError_t error = hipSuccess;
  const Kernel* kernel = find_kernel(function, error);
  if (kernel == nullptr) return error;
  constexpr std::uint64_t most_workgroups = 0xffffffff;
  if (volume(grid) == 0 || volume(grid) > most_workgroups || volume(block) == 0 ||
      volume(block) > most_threads_per_workgroup)
    return hipErrorInvalidConfiguration;
  if (volume(block) > kernel->largest_workgroup) return hipErrorLaunchFailure;
  if (kernel->local_bytes + local > local_bytes_per_workgroup) return hipErrorInvalidValue;
  const Size groups = {grid.x, grid.y, grid.z}, threads = {block.x, block.y, block.z};
  const auto dynamic = static_cast<unsigned>(local);
  const Launch enqueued = {kernel, groups, threads, dynamic,
                           argument_segment(*kernel, groups, threads, dynamic, values)};
  return enqueue(stream, [enqueued] { execute(enqueued); });
}

// Waves that a SIMD unit has room for: it has 512 vector registers for each lane, in steps of 8, and 800
// scalar ones, in steps of 16. Four such units share the local memory.
int resident_workgroups(const Kernel& kernel, int threads, std::size_t dynamic_local_bytes) {
  const auto step = [](unsigned count, unsigned size) {
    return std::max(size, (count + size - 1) / size * size);
  };
  const unsigned waves_of_group = (static_cast<unsigned>(threads) + lanes - 1) / lanes;
  const unsigned waves = 4 * std::min({8u, 512 / step(kernel.vector_registers, 8),
                                       800 / step(kernel.scalar_registers, 16)});
  std::size_t groups = waves / std::max(1u, waves_of_group);
  const std::size_t local = kernel.local_bytes + dynamic_local_bytes;
  if (local > 0) groups = std::min(groups, local_bytes_per_workgroup / local);
  return static_cast<int>(groups);
}

}  // namespace

const Kernel* find_kernel(const void* function, hipError_t& error) {
  const auto found = runtime().functions.find(function);
  error = hipErrorInvalidDeviceFunction;
  if (found == runtime().functions.end()) return nullptr;
  try {
    const CodeObject* code = load(*found->second.binary, current_model().target);
    if (code == nullptr) error = hipErrorNoBinaryForGpu;
    return code == nullptr ? nullptr : code->find(found->second.name);
  } catch (const Fault& fault) {
    complain(fault.what());
    error = hipErrorNoBinaryForGpu;
    return nullptr;
  }
}

}  // namespace amd_emulator

using namespace amd_emulator;

extern "C" {

void** __hipRegisterFatBinary(const void* wrapper) {
  const auto* wrapped = static_cast<const Wrapper*>(wrapper);
  return reinterpret_cast<void**>(new FatBinary{wrapped->bundle, {}});
}
void __hipUnregisterFatBinary(void**) {}  // kernels stay until the program has ended
void __hipRegisterFunction(void** binary, const void* function, char*, const char* name, unsigned,
                           void*, void*, dim3*, dim3*, int*) {
  runtime().functions[function] = {reinterpret_cast<FatBinary*>(binary), name};
}

hipError_t __hipPushCallConfiguration(dim3 grid, dim3 block, std::size_t dynamic_local_bytes,
                                      hipStream_t stream) {
  call_configurations.push_back({grid, block, dynamic_local_bytes, stream});
  return hipSuccess;
}
hipError_t __hipPopCallConfiguration(dim3* grid, dim3* block, std::size_t* dynamic_local_bytes,
                                     hipStream_t* stream) {
  if (call_configurations.empty()) return hipErrorInvalidConfiguration;
  const CallConfiguration last = call_configurations.back();
  call_configurations.pop_back();
  *grid = last.grid;
  *block = last.block;
  *dynamic_local_bytes = last.dynamic_local_bytes;
  *stream = last.stream;
  return hipSuccess;
}

hipError_t hipLaunchKernel(const void* function, dim3 grid, dim3 block, void** values,
                           std::size_t local, hipStream_t stream) {
  return call([=] { return launch(function, grid, block, values, local, stream); });
}
hipError_t hipFuncSetAttribute(const void* function, hipFuncAttribute attribute, int value) {
  return call([=] {
    hipError_t error = hipSuccess;
    if (find_kernel(function, error) == nullptr) return error;
    const bool too_much = attribute == hipFuncAttributeMaxDynamicSharedMemorySize &&
                          (value < 0 || value > local_bytes_per_workgroup);
    return too_much ? hipErrorInvalidValue : hipSuccess;
  });
}
hipError_t hipOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function,
                                                        int threads, std::size_t local) {
  return call([=] {
    hipError_t error = hipSuccess;
    const Kernel* kernel = find_kernel(function, error);
    if (kernel == nullptr) return error;
    *blocks = resident_workgroups(*kernel, threads, local);
    return hipSuccess;
  });
}

}  // extern "C"
