// SPDX-License-Identifier: Apache-2.0
// What CUDA adds to C++: where functions run and where variables live.
#pragma once

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(bytes) __attribute__((aligned(bytes)))

// One block runs at a time, so static variables can be its shared memory. The tag stands in their
// symbols: it is how they are found to be poisoned. Between two blocks the compiler may not think that
// it knows their values.
#define __shared__ static __attribute__((used, abi_tag("emulated_shared")))
