// SPDX-License-Identifier: Apache-2.0
// What the doubles of the vendors' GPU libraries compute with: host memory that plays a device's.
#pragma once

#include <cuda_runtime.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "backends/dtype.h"

// Lets adapters use a double on emulated devices.
extern "C" [[gnu::used]] inline void steelyard_runs_on_emulated_devices() {}

namespace steelyard::doubles {

// Does the work when the stream comes to it; the device is busy for that time at least.
inline bool enqueue(cudaStream_t stream, std::chrono::microseconds busy,
                    std::function<void()> work) {
  cudaLaunchConfig_t one_thread = {};
  one_thread.stream = stream;
  return emulated_cuda::launch(one_thread, nullptr, [=, work = std::move(work)] {
           work();
           std::this_thread::sleep_for(busy);
         }) == cudaSuccess;
}

// A column-major matrix as a library is given it.
struct Matrix {
  const void* data = nullptr;
  DType type = DType::f32;
  std::int64_t leading = 0;
  bool transposed = false;
  Encoding encoding = Encoding::ocp;

  double at(std::int64_t row, std::int64_t column) const {
    const std::int64_t index = transposed ? column + row * leading : row + column * leading;
    return load(type, data, index, encoding);
  }
};

struct Product {
  std::int64_t m = 0, n = 0, k = 0;
  double alpha = 1, beta = 0;
  Matrix a, b, c, d;                // D = alpha A B + beta C
  const float* a_scales = nullptr;  // one per row of A, or null
  const float* b_scales = nullptr;  // one per column of B, or null
};

inline void multiply(const Product& p) {
  for (std::int64_t j = 0; j < p.n; ++j)
    for (std::int64_t i = 0; i < p.m; ++i) {
      double sum = 0;
      for (std::int64_t l = 0; l < p.k; ++l) sum += p.a.at(i, l) * p.b.at(l, j);
      if (p.a_scales != nullptr) sum *= static_cast<double>(p.a_scales[i]);
      if (p.b_scales != nullptr) sum *= static_cast<double>(p.b_scales[j]);
      const double before = p.beta == 0 ? 0 : p.beta * p.c.at(i, j);
      store(p.d.type, const_cast<void*>(p.d.data), i + j * p.d.leading, p.alpha * sum + before,
            p.d.encoding);
    }
}

// A number that a library reads in the given type.
inline double read(DType type, const void* number) {
  return load(type, number, 0);
}

}  // namespace steelyard::doubles
