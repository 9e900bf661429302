// SPDX-License-Identifier: Apache-2.0
// RMSNorm and LayerNorm.
//
// Idea: a team of threads holds a row in registers, so that the mean, the deviations from it and the
// result are made from one reading; the rows of a team follow each other.
// Traffic: x and y once; weight and bias from the caches.
// Limits: DRAM bandwidth; rows of up to 1024 threads that hold 16 elements each, or 512
// where rows are no whole number of 16 bytes and every element has an address of its own.
#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/team.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {
namespace {

// y[rows, columns] = (x - mean) / sqrt(mean (x - mean)^2 + epsilon) weight + bias; RMSNorm (not
// centred) has 0 for the mean and no bias.
template <class T, int width, bool centred>
__global__ void __launch_bounds__(holding_threads(most_threads, width), 1)
    normalise(T* y, const T* x, const T* weight, const T* bias, std::int64_t rows, int columns,
              int team_threads) {
  const Team team(team_threads);
  const float per_column = 1.f / static_cast<float>(columns);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    const T* const own = x + row * columns;
    T* const result_row = y + row * columns;
    Vector<T, width> held[held_elements / width];
    float sum = 0;
    each_held_packet<width>(team, columns, [&](int k, int column) {
      held[k] = load_vector<width, true>(own + column);
#pragma unroll
      for (const T value : held[k].element) sum += to_float(value);
    });
    const float mean = centred ? team.sum(sum) * per_column : 0;
    float squares = 0;
    each_held_packet<width>(team, columns, [&](int k, int) {
#pragma unroll
      for (const T value : held[k].element) {
        const float deviation = to_float(value) - mean;
        squares += deviation * deviation;
      }
    });
    const float variance = team.sum(squares) * per_column;
    const float reciprocal = 1.f / sqrtf(variance + static_cast<float>(norm_epsilon));
    each_held_packet<width>(team, columns, [&](int k, int column) {
      const auto w = load_vector<width>(weight + column);
      Vector<T, width> b = {}, result;
      if constexpr (centred) b = load_vector<width>(bias + column);
#pragma unroll
      for (int e = 0; e < width; ++e) {
        const float normal = (to_float(held[k].element[e]) - mean) * reciprocal;
        const float offset = centred ? to_float(b.element[e]) : 0;
        result.element[e] = from_float<T>(normal * to_float(w.element[e]) + offset);
      }
      store_vector(result_row + column, result);
    });
  }
}

Support supports_norm(const Layer& p, const DeviceInfo& info) {
  const Support support = supports<Pass::forward, LayerOp::rms_norm, LayerOp::layer_norm>(p, info);
  return support.answer == Support::yes ? supports_held_row(p, holding_threads(p, most_threads))
                                        : support;
}

void enqueue_norm(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  const RowGrid rows = held_row_grid(device, p, holding_threads(p, most_threads));
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    const bool centred = p.op == LayerOp::layer_norm;
    launch(centred ? normalise<T, width, true> : normalise<T, width, false>, rows.grid,
           device.stream(), arguments.get<T>("y"), arguments.get<T>("x"),
           arguments.get<T>("weight"), centred ? arguments.get<T>("bias") : nullptr, p.rows,
           static_cast<int>(p.columns), rows.team);
  });
}

}  // namespace

std::span<const Kernel> norm_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports_norm, prepare_layer<enqueue_norm>>("row_in_registers", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
