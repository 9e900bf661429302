// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/code_version.h"

namespace steelyard::gpu {
namespace {

__global__ void nothing() {}

}  // namespace

Error read_code_version(int* version) {
  cudaFuncAttributes attributes;
  const Error error = cudaFuncGetAttributes(&attributes, nothing);
  if (error == success) *version = attributes.ptxVersion;
  return error;
}

}  // namespace steelyard::gpu
