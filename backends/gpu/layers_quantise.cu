// SPDX-License-Identifier: Apache-2.0
// Largest values of rows, and the way to 8 bits and back with a scale per row.
//
// Idea: a team keeps a row in registers between finding its largest value and multiplying by the
// reciprocal of its scale; rows that are too long are read again, from the caches. Two values are
// rounded by one instruction where the device has it.
// Traffic: each tensor once.
// Limits: DRAM bandwidth; where fp8 is rounded by integer arithmetic (A100, MI250), that.
#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/narrow.h"
#include "backends/gpu/team.h"

namespace steelyard::gpu {
namespace {

template <class T, int width>
__device__ float larger_of(float amax, const Vector<T, width>& packet) {
#pragma unroll
  for (const T value : packet.element) amax = Larger{}(amax, fabsf(to_float(value)));
  return amax;
}

// amax[rows] = the largest |x[rows, columns]| of each row
template <class T, int width>
__global__ void __launch_bounds__(most_threads, 1)
    row_amax(float* amax, const T* x, std::int64_t rows, std::int64_t columns, int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    float mine = 0;
    each_packet<width>(team, columns, [&](std::int64_t column) {
      mine = larger_of(mine, load_vector<width, true>(x + row * columns + column));
    });
    const float largest = team.max(mine);
    if (team.rank == 0) amax[row] = largest;
  }
}

// What a row is multiplied by, in two steps: a row of tiny numbers is first lifted by a power of
// two, or its reciprocal would overflow.
struct Reciprocal {
  float lift, factor;

  // largest: of the narrow type. 1 / scale where scale = amax / largest, 1 for a row of zeros.
  __device__ Reciprocal(float amax, float largest) : lift(amax < 0x1p-64f ? 0x1p64f : 1.f) {
    factor = amax > 0 ? largest / (amax * lift) : 1.f;
  }
  __device__ float operator()(float x) const { return x * lift * factor; }
};

template <class Q, class T>
struct Quantised {
  Q* q;
  float* scale;
  const T* x;
  float largest;  // of Q
  std::int64_t rows, columns;

  __device__ Reciprocal finish_row(const Team& team, std::int64_t row, float amax) const {
    const float whole = team.max(amax);
    if (team.rank == 0) scale[row] = whole > 0 ? whole / largest : 1.f;
    return Reciprocal(whole, largest);
  }
};

template <class Q, class T, int width>
__global__ void __launch_bounds__(holding_threads(most_threads, width), 1)
    quantise_held_rows(Quantised<Q, T> p, int team_threads) {
  const Team team(team_threads);
  const auto columns = static_cast<int>(p.columns);
  for (std::int64_t row = team.number; row < p.rows; row += team.count) {
    Vector<T, width> held[held_elements / width];
    float amax = 0;
    each_held_packet<width>(team, columns, [&](int k, int column) {
      held[k] = load_vector<width, true>(p.x + row * p.columns + column);
      amax = larger_of(amax, held[k]);
    });
    const Reciprocal reciprocal = p.finish_row(team, row, amax);
    each_held_packet<width>(team, columns, [&](int k, int column) {
      store_narrow(p.q + row * p.columns + column, held[k], reciprocal);
    });
  }
}

template <class Q, class T, int width>
__global__ void __launch_bounds__(most_threads, 1)
    quantise_long_rows(Quantised<Q, T> p, int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < p.rows; row += team.count) {
    const T* const x = p.x + row * p.columns;
    float amax = 0;
    each_packet<width>(team, p.columns, [&](std::int64_t column) {
      amax = larger_of(amax, load_vector<width>(x + column));
    });
    const Reciprocal reciprocal = p.finish_row(team, row, amax);
    each_packet<width>(team, p.columns, [&](std::int64_t column) {
      store_narrow(p.q + row * p.columns + column, load_vector<width, true>(x + column),
                   reciprocal);
    });
  }
}

// x[rows, columns] = q[rows, columns] scale[rows]
template <class Q, class T, int width>
__global__ void __launch_bounds__(most_threads, 1)
    widen(T* x, const Q* q, const float* scale, std::int64_t rows, std::int64_t columns,
          int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    const float factor = scale[row];
    each_packet<width>(team, columns, [&](std::int64_t column) {
      const auto codes = load_vector<width, true>(q + row * columns + column);
      Vector<T, width> result;
#pragma unroll
      for (int e = 0; e < width; ++e)
        result.element[e] = from_float<T>(to_float(codes.element[e]) * factor);
      store_vector(x + row * columns + column, result);
    });
  }
}

template <LayerOp op>
Support supports_narrow(const Layer& p, const DeviceInfo& info) {
  const Support support = supports<Pass::forward, op>(p, info);
  if (support.answer != Support::yes || with_narrow_type(p.quantised, [](auto) {})) return support;
  return {Support::no, "portable GPU kernels narrow to fp8_e4m3, fp8_e5m2 and int8, not " +
                           std::string(name(p.quantised))};
}

void enqueue_amax(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  const RowGrid rows = held_row_grid(device, p, most_threads);
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    launch(row_amax<T, width>, rows.grid, device.stream(), arguments.get<float>("amax"),
           arguments.get<T>("x"), p.rows, p.columns, rows.team);
  });
}

// Calls f(Q{}, T{}, Width<w>{}).
template <class F>
void with_types_and_width(const Layer& p, F f) {
  with_narrow_type(p.quantised, [&]<class Q>(Q narrow_zero) {
    with_type_and_width(p.dtype, p.columns,
                        [&](auto zero, auto width) { f(narrow_zero, zero, width); });
  });
}

void enqueue_quantise(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  const int holding = holding_threads(p, most_threads);
  const bool held = p.columns <= std::int64_t{holding} * held_elements;
  const RowGrid rows = held_row_grid(device, p, held ? holding : most_threads);
  const auto largest = static_cast<float>(max_value(p.quantised, device.info().fp8));
  with_types_and_width(p, [&]<class Q, class T, int width>(Q, T, Width<width>) {
    launch(held ? quantise_held_rows<Q, T, width> : quantise_long_rows<Q, T, width>, rows.grid,
           device.stream(),
           Quantised<Q, T>{arguments.get<Q>("q"), arguments.get<float>("scale"),
                           arguments.get<T>("x"), largest, p.rows, p.columns},
           rows.team);
  });
}

void enqueue_dequantise(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  const RowGrid rows = held_row_grid(device, p, most_threads);
  with_types_and_width(p, [&]<class Q, class T, int width>(Q, T, Width<width>) {
    launch(widen<Q, T, width>, rows.grid, device.stream(), arguments.get<T>("x"),
           arguments.get<Q>("q"), arguments.get<float>("scale"), p.rows, p.columns, rows.team);
  });
}

}  // namespace

std::span<const Kernel> quantise_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports<Pass::forward, LayerOp::amax>, prepare_layer<enqueue_amax>>("row_amax",
                                                                                  Tier::portable),
      kernel<supports_narrow<LayerOp::quantise>, prepare_layer<enqueue_quantise>>(
          "row_in_registers", Tier::portable),
      kernel<supports_narrow<LayerOp::dequantise>, prepare_layer<enqueue_dequantise>>(
          "stream", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
