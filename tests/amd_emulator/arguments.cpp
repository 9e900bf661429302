// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "tests/amd_emulator/launch.h"
#include "tests/amd_emulator/numbers.h"
#include "tests/amd_emulator/operands.h"

namespace amd_emulator {
namespace {

constexpr std::string_view hidden = "hidden_";

// Of a hidden argument. What HIP leaves empty for kernels that use neither printf nor device-side
// allocation is 0, and a grid of whole workgroups has no remainders.
u64 hidden_value(std::string_view kind, Size grid, Size block, unsigned dynamic_local_bytes) {
  const auto along = [&](Size size) {
    return kind.back() == 'x' ? size.x : kind.back() == 'y' ? size.y : size.z;
  };
  if (kind.starts_with("block_count_")) return along(grid);
  if (kind.starts_with("group_size_")) return along(block);
  if (kind == "grid_dims") return grid.z * block.z > 1 ? 3 : grid.y * block.y > 1 ? 2 : 1;
  if (kind == "dynamic_lds_size") return dynamic_local_bytes;
  if (kind == "shared_base") return high(local_aperture);
  if (kind == "private_base") return high(private_aperture);
  return 0;
}

}  // namespace

std::vector<std::byte> argument_segment(const Kernel& kernel, Size grid, Size block,
                                        unsigned dynamic_local_bytes, void* const* values) {
  std::vector<std::byte> segment(kernel.argument_bytes);
  for (const KernelArgument& argument : kernel.arguments) {
    std::byte* to = segment.data() + argument.offset;
    if (!argument.kind.starts_with(hidden)) {
      std::memcpy(to, *values++, argument.bytes);
      continue;
    }
    const u64 value = hidden_value(std::string_view(argument.kind).substr(hidden.size()), grid,
                                   block, dynamic_local_bytes);
    std::memcpy(to, &value, std::min<std::size_t>(argument.bytes, sizeof(value)));
  }
  return segment;
}

}  // namespace amd_emulator
