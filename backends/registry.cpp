// SPDX-License-Identifier: Apache-2.0
// The backends of this build, in the order in which they are listed.
#include "backends/backend.h"

namespace steelyard {

namespace cpu {
Backend cpu_backend();
}
#ifdef STEELYARD_HAVE_CUDA
Backend cuda_backend();
#endif
#ifdef STEELYARD_HAVE_HIP
Backend hip_backend();
#endif

std::span<const Backend> backends() {
  static const std::vector<Backend> all = {
      cpu::cpu_backend(),
#ifdef STEELYARD_HAVE_CUDA
      cuda_backend(),
#endif
#ifdef STEELYARD_HAVE_HIP
      hip_backend(),
#endif
  };
  return all;
}

}  // namespace steelyard
