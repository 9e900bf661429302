// SPDX-License-Identifier: Apache-2.0
// The rows of onednn.cpp in a build without oneDNN.
#include "backends/cpu/kernels.h"

namespace steelyard::cpu {
namespace {

Support supports(const Problem& problem, const DeviceInfo&) {
  if (!std::holds_alternative<Gemm>(problem)) return {Support::foreign, {}};
  return {Support::no, "built without oneDNN: install libdnnl-dev and build again"};
}

}  // namespace

std::span<const Kernel> onednn_kernels() {
  static constexpr Kernel table[] = {{"onednn", Tier::library, supports},
                                     {"onednn-packed", Tier::library, supports}};
  return table;
}

}  // namespace steelyard::cpu
