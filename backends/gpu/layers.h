// SPDX-License-Identifier: Apache-2.0
// What the kernels of layers share on the host: which problems they take, for which types and
// widths of access they are compiled, and on how many threads they run.
#pragma once

#include <type_traits>

#include "backends/gpu/device.h"
#include "backends/gpu/number.h"

namespace steelyard::gpu {

// No, with the reason, for types that the kernels do not compute in.
Support supports_type(DType type);

// No, with the reason, for rows that so many threads cannot hold in their registers.
Support supports_held_row(const Layer& p, int threads);

template <Pass pass, LayerOp... ops>
Support supports(const Layer& p, const DeviceInfo&) {
  if (p.pass != pass || ((p.op != ops) && ...)) return {Support::foreign, {}};
  return supports_type(p.dtype);
}

inline std::int64_t row_bytes(const Layer& p) {
  return bytes(p.dtype, p.columns);
}

template <int n>
using Width = std::integral_constant<int, n>;

// Calls f(T{}, Width<w>{}): w elements are 16 bytes where rows are whole numbers of them, else 1.
template <class F>
void with_type_and_width(DType type, std::int64_t columns, F f) {
  with_float_type(type, [&]<class T>(T zero) {
    constexpr int widest = 16 / sizeof(T);
    if (columns % widest == 0)
      f(zero, Width<widest>{});
    else
      f(zero, Width<1>{});
  });
}

// Threads of a block at most that hold a row in registers: half as many where every element of a row
// has an address of its own, which takes registers too.
constexpr int holding_threads(int threads, int width) {
  return width > 1 ? threads : threads / 2;
}
inline int holding_threads(const Layer& p, int threads) {
  return holding_threads(threads, row_bytes(p) % 16 == 0 ? 2 : 1);
}

// Blocks that stride through `packets`, one per thread at a time.
Grid packet_grid(const GpuDevice& device, std::int64_t packets);

// A grid of teams that stride through rows: a team is a warp where that holds a row, else a block.
struct RowGrid {
  Grid grid;
  int team = 0;            // threads
  std::int64_t teams = 0;  // of the grid
};
RowGrid row_grid(const GpuDevice& device, std::int64_t rows, std::int64_t threads_per_row,
                 int most_threads_per_row);

// The grid in which every thread holds held_elements of its row.
RowGrid held_row_grid(const GpuDevice& device, const Layer& p, int most_threads_per_row);

// A Run that calls enqueue(device, p, arguments) at each launch.
template <auto enqueue>
std::unique_ptr<Run> prepare_layer(GpuDevice& device, const Layer& p, const Inputs& inputs) {
  return make_run(device, p, inputs,
                  [=, &device](const Arguments& arguments) { enqueue(device, p, arguments); });
}

}  // namespace steelyard::gpu
