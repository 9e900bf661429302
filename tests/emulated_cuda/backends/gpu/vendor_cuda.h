// SPDX-License-Identifier: Apache-2.0
// Stands in front of backends/gpu/vendor_cuda.h: what that declares as `extern __shared__` is one array
// outside of all functions, where __shared__ else makes static variables.
#pragma once

#include <cuda_runtime.h>

#pragma push_macro("__shared__")
#undef __shared__
#define __shared__
#include_next "backends/gpu/vendor_cuda.h"
#pragma pop_macro("__shared__")
