// SPDX-License-Identifier: Apache-2.0
// What the tests of the emulated CUDA devices share: arrays on a device, launches, a new beginning.
#pragma once

#include <cuda_runtime.h>

#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/emulated_cuda/emulation.h"

// Devices as after the start of the process, before and after a test.
struct Fresh {
  explicit Fresh(const char* architectures = "sm_90") { emulated_cuda::restart(architectures); }
  ~Fresh() { emulated_cuda::restart("sm_90"); }
};

struct Shape {
  dim3 grid = 1, block = 1;
  std::size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
};

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), const Shape& shape, Arguments... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = shape.stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

// The fault that a launch ends in, in the emulation's words.
template <class... Parameters, class... Arguments>
std::string fault_of(void (*kernel)(Parameters...), const Shape& shape, Arguments... arguments) {
  REQUIRE(launch(kernel, shape, arguments...) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  return emulated_cuda::last_fault();
}

// Memory of the device with the values of a vector, and back.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values) : count_(values.size()) {
    REQUIRE(cudaMalloc(&data_, bytes()) == cudaSuccess);
    REQUIRE(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice) == cudaSuccess);
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;

  T* data() const { return data_; }
  std::vector<T> values() const {
    std::vector<T> result(count_);
    REQUIRE(cudaMemcpy(result.data(), data_, bytes(), cudaMemcpyDeviceToHost) == cudaSuccess);
    return result;
  }

 private:
  std::size_t bytes() const { return count_ * sizeof(T); }
  T* data_ = nullptr;
  std::size_t count_;
};
