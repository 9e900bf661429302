// SPDX-License-Identifier: Apache-2.0
// Rows that are moved as they are, whatever their type: in units of the widest access that divides
// them.
#pragma once

#include "backends/gpu/layers.h"

namespace steelyard::gpu {

template <class Unit>
std::int64_t row_units(const Layer& p) {
  return row_bytes(p) / static_cast<std::int64_t>(sizeof(Unit));
}

// Calls f(Unit{}).
template <class F>
void with_row_unit(const Layer& p, F f) {
  const std::int64_t size = row_bytes(p);
  if (size % 16 == 0)
    f(uint4{});
  else if (size % 4 == 0)
    f(std::uint32_t{});
  else if (size % 2 == 0)
    f(std::uint16_t{});
  else
    f(std::uint8_t{});
}

template <LayerOp op>
Support supports_move(const Layer& p, const DeviceInfo&) {
  return {p.pass == Pass::forward && p.op == op ? Support::yes : Support::foreign, {}};
}

}  // namespace steelyard::gpu
