// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/kernels.h"

namespace steelyard::gpu {

std::vector<Kernel> shared_kernels() {
  std::vector<Kernel> all;
  for (const std::span<const Kernel> table : std::initializer_list<std::span<const Kernel>>{})
    all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace steelyard::gpu
