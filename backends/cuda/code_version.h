// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/gpu/gpu.h"

namespace steelyard::gpu {

// The compute capability that kernels were compiled for, of the code that the selected device runs: 80
// is 8.0. Less than the device's where the driver translates PTX.
Error read_code_version(int* version);

}  // namespace steelyard::gpu
