// SPDX-License-Identifier: Apache-2.0
// The gradients of RMSNorm and LayerNorm.
//
// Idea: a team holds a row of x and of dy in registers and there too, over all its rows, its sums for
// dweight and dbias; the teams' sums are added up by a second kernel, in a fixed order.
// Traffic: x, dy and dx once; the sums of every team are written and read, a few rows per compute
// unit.
// Limits: DRAM bandwidth; registers: rows of up to 512 threads that hold 16 elements each, or 256
// where rows are no whole number of 16 bytes and every element has an address of its own.
#include <algorithm>

#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/team.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {
namespace {

constexpr int packet_threads = 512;  // of a block at most

template <class T>
struct NormGradient {
  const T *x, *weight, *dy;
  T* dx;
  float *dweight, *dbias;  // [teams, columns]: a row of sums for each team
  std::int64_t rows;
  int columns, team_threads;
};

// With c = x - mean x, r = 1 / sqrt(mean c^2 + epsilon), n = r c and g = dy weight:
//   dx = r (g - mean g - n mean(g n)); RMSNorm has 0 for mean x and mean g.
template <class T, int width, bool centred>
__global__ void __launch_bounds__(holding_threads(packet_threads, width), 1)
    norm_gradient(NormGradient<T> p) {
  constexpr int packets = held_elements / width;
  const Team team(p.team_threads);
  const float per_column = 1.f / static_cast<float>(p.columns);
  float dweight[packets][width] = {}, dbias[packets][width] = {};
  for (std::int64_t row = team.number; row < p.rows; row += team.count) {
    const T *const x_row = p.x + row * p.columns, *const dy_row = p.dy + row * p.columns;
    T* const dx_row = p.dx + row * p.columns;
    Vector<T, width> x[packets], dy[packets];
    float sum = 0;
    each_held_packet<width>(team, p.columns, [&](int k, int column) {
      x[k] = load_vector<width, true>(x_row + column);
      dy[k] = load_vector<width, true>(dy_row + column);
#pragma unroll
      for (const T value : x[k].element) sum += to_float(value);
    });
    const float mean = centred ? team.sum(sum) * per_column : 0;
    float sums[centred ? 3 : 2] = {};  // of c^2, g c and g
    each_held_packet<width>(team, p.columns, [&](int k, int column) {
      const auto weight = load_vector<width>(p.weight + column);
#pragma unroll
      for (int e = 0; e < width; ++e) {
        const float c = to_float(x[k].element[e]) - mean;
        const float g = to_float(dy[k].element[e]) * to_float(weight.element[e]);
        sums[0] += c * c;
        sums[1] += g * c;
        if constexpr (centred) sums[2] += g;
      }
    });
    team.sum(sums);
    const float r = 1.f / sqrtf(sums[0] * per_column + static_cast<float>(norm_epsilon));
    const float mean_gn = sums[1] * per_column * r;
    float mean_g = 0;
    if constexpr (centred) mean_g = sums[2] * per_column;
    each_held_packet<width>(team, p.columns, [&](int k, int column) {
      const auto weight = load_vector<width>(p.weight + column);
      Vector<T, width> dx;
#pragma unroll
      for (int e = 0; e < width; ++e) {
        const float d = to_float(dy[k].element[e]), g = d * to_float(weight.element[e]);
        const float n = (to_float(x[k].element[e]) - mean) * r;
        dx.element[e] = from_float<T>(r * (g - mean_g - n * mean_gn));
        dweight[k][e] += d * n;
        if (centred) dbias[k][e] += d;
      }
      store_vector(dx_row + column, dx);
    });
  }
  each_held_packet<width>(team, p.columns, [&](int k, int column) {
#pragma unroll
    for (int e = 0; e < width; ++e) {
      p.dweight[team.number * p.columns + column + e] = dweight[k][e];
      if (centred) p.dbias[team.number * p.columns + column + e] = dbias[k][e];
    }
  });
}

constexpr int sum_threads = 256;

// sum[columns] = sum over rows of partial[rows, columns]: a lane for each column, the warps of a
// block take rows in turn.
__global__ void __launch_bounds__(sum_threads)
    sum_rows(float* sum, const float* partial, std::int64_t rows, int columns) {
  constexpr int warps = sum_threads / warp_size;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int warp = static_cast<int>(threadIdx.x) / warp_size;
  const int column = static_cast<int>(blockIdx.x) * warp_size + lane;
  float mine = 0;
  if (column < columns) {
#pragma unroll 4
    for (std::int64_t row = warp; row < rows; row += warps) mine += partial[row * columns + column];
  }
  __shared__ float of_warps[warps][warp_size];
  of_warps[warp][lane] = mine;
  __syncthreads();
  if (warp != 0 || column >= columns) return;
  float total = 0;
  for (int w = 0; w < warps; ++w) total += of_warps[w][lane];
  sum[column] = total;
}

void enqueue_sum(const GpuDevice& device, float* sum, const float* partial, std::int64_t rows,
                 std::int64_t columns) {
  const Grid grid = {.blocks = (columns + warp_size - 1) / warp_size, .threads = sum_threads};
  launch(sum_rows, grid, device.stream(), sum, partial, rows, static_cast<int>(columns));
}

Support supports_gradient(const Layer& p, const DeviceInfo& info) {
  const Support support = supports<Pass::backward, LayerOp::rms_norm, LayerOp::layer_norm>(p, info);
  return support.answer == Support::yes ? supports_held_row(p, holding_threads(p, packet_threads))
                                        : support;
}

void enqueue_gradient(const GpuDevice& device, const Layer& p, const Arguments& arguments,
                      const RowGrid& rows, float* partial) {
  const bool centred = p.op == LayerOp::layer_norm;
  float* const partial_bias = centred ? partial + rows.teams * p.columns : nullptr;
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    launch(centred ? norm_gradient<T, width, true> : norm_gradient<T, width, false>, rows.grid,
           device.stream(),
           NormGradient<T>{arguments.get<T>("x"), arguments.get<T>("weight"),
                           arguments.get<T>("dy"), arguments.get<T>("dx"), partial, partial_bias,
                           p.rows, static_cast<int>(p.columns), rows.team});
  });
  enqueue_sum(device, arguments.get<float>("dweight"), partial, rows.teams, p.columns);
  if (centred)
    enqueue_sum(device, arguments.get<float>("dbias"), partial_bias, rows.teams, p.columns);
}

std::unique_ptr<Run> prepare_gradient(GpuDevice& device, const Layer& p, const Inputs& inputs) {
  const RowGrid rows = held_row_grid(device, p, holding_threads(p, packet_threads));
  const std::int64_t sums = rows.teams * p.columns * (p.op == LayerOp::layer_norm ? 2 : 1);
  (void)device.stream();  // selects the device that the memory below belongs to
  const auto partial = std::make_shared<Buffer<float>>(static_cast<std::size_t>(sums));
  return make_run(device, p, inputs, [=, &device](const Arguments& arguments) {
    enqueue_gradient(device, p, arguments, rows, partial->data());
  });
}

}  // namespace

std::span<const Kernel> norm_gradient_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports_gradient, prepare_gradient>("row_in_registers", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
