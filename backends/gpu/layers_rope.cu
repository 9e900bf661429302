// SPDX-License-Identifier: Apache-2.0
// Rotary embedding and its gradient, which turns back.
//
// Idea: a block takes a row (a token) and makes the cosines and sines of its position once, in shared
// memory, for all of its heads. Angles are f64: position times frequency, brought near zero by whole
// quarter turns, so that they are exact at any position; what is left is small and two short series
// in f32 suffice.
// Traffic: x and y once; the frequencies from the caches.
// Limits: DRAM bandwidth; with few heads the angles' f64 arithmetic.
#include <cmath>
#include <vector>

#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {
namespace {

constexpr int threads = 256;
constexpr int most_pairs = 512;  // of a head

struct Rotation {
  float cosine, sine;
};

// Of an angle in radians.
__device__ Rotation rotation(double angle) {
  constexpr double two_over_pi = 0.63661977236758134;
  constexpr double half_pi = 1.5707963267948966, half_pi_rest = 6.123233995736766e-17;
  const double quarter_turns = rint(angle * two_over_pi);
  const double rest = fma(-quarter_turns, half_pi_rest, fma(-quarter_turns, half_pi, angle));
  const auto r = static_cast<float>(rest);  // within pi / 4: Taylor's terms reach f32's last bit
  const float s = r * r;
  const float sine =
      r + r * s * (-1.f / 6 + s * (1.f / 120 + s * (-1.f / 5040 + s * (1.f / 362880))));
  const float cosine = 1.f + s * (-.5f + s * (1.f / 24 + s * (-1.f / 720 + s * (1.f / 40320))));
  switch (static_cast<long long>(quarter_turns) & 3) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

// Element i < pairs of each head forms a pair with element i + pairs, which turns by
// direction positions[row] frequencies[i].
template <class T>
struct Rope {
  T* y;
  const T* x;  // [rows, heads, 2 pairs]
  const std::int32_t* positions;
  const double* frequencies;
  double direction;
  std::int64_t rows;
  int heads, pairs;
};

template <class T, int width>
__global__ void __launch_bounds__(threads, 1) rotate(Rope<T> p) {
  __shared__ Rotation rotations[most_pairs];
  const int packets = p.pairs / width;  // of half a head
  for (std::int64_t row = blockIdx.x; row < p.rows; row += gridDim.x) {
    __syncthreads();  // the last row's rotations have been read
    for (int i = static_cast<int>(threadIdx.x); i < p.pairs; i += threads)
      rotations[i] = rotation(p.direction * p.positions[row] * p.frequencies[i]);
    __syncthreads();
    for (int n = static_cast<int>(threadIdx.x); n < p.heads * packets; n += threads) {
      const int head = n / packets, i = n % packets * width;
      const std::int64_t at = (row * p.heads + head) * 2 * p.pairs + i;
      auto first = load_vector<width, true>(p.x + at);
      auto second = load_vector<width, true>(p.x + at + p.pairs);
#pragma unroll
      for (int e = 0; e < width; ++e) {
        const Rotation turn = rotations[i + e];
        const float a = to_float(first.element[e]), b = to_float(second.element[e]);
        first.element[e] = from_float<T>(a * turn.cosine - b * turn.sine);
        second.element[e] = from_float<T>(b * turn.cosine + a * turn.sine);
      }
      store_vector(p.y + at, first);
      store_vector(p.y + at + p.pairs, second);
    }
  }
}

Support supports_rope(const Layer& p, const DeviceInfo&) {
  if (p.op != LayerOp::rope) return {Support::foreign, {}};
  if (p.head_dim > 2 * most_pairs)
    return {Support::no, "the rotations of a row are kept for heads of up to " +
                             std::to_string(2 * most_pairs) + " elements"};
  return supports_type(p.dtype);
}

void enqueue_rope(const GpuDevice& device, const Layer& p, const Arguments& arguments,
                  const double* frequencies) {
  const bool back = p.pass == Pass::backward;
  const std::int64_t pairs = p.head_dim / 2;
  const Grid grid = packet_grid(device, p.rows * threads);  // a block for each row
  with_type_and_width(p.dtype, pairs, [&]<class T, int width>(T, Width<width>) {
    launch(rotate<T, width>, grid, device.stream(),
           Rope<T>{arguments.get<T>(back ? "dx" : "y"), arguments.get<T>(back ? "dy" : "x"),
                   arguments.get<std::int32_t>("positions"), frequencies, back ? -1. : 1., p.rows,
                   static_cast<int>(p.columns / p.head_dim), static_cast<int>(pairs)});
  });
}

// frequencies[i] = rope_base^(-2 i / head_dim), in the memory of the device.
Buffer<double> make_frequencies(const GpuDevice& device, std::int64_t head_dim) {
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < head_dim / 2; ++i)
    frequencies.push_back(
        std::pow(rope_base, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim)));
  const StreamHandle stream = device.stream();
  Buffer<double> buffer(frequencies.size());
  check(copy(buffer.data(), frequencies.data(), frequencies.size() * sizeof(double), stream));
  check(wait(stream));
  return buffer;
}

std::unique_ptr<Run> prepare_rope(GpuDevice& device, const Layer& p, const Inputs& inputs) {
  const auto frequencies = std::make_shared<Buffer<double>>(make_frequencies(device, p.head_dim));
  return make_run(device, p, inputs, [=, &device](const Arguments& arguments) {
    enqueue_rope(device, p, arguments, frequencies->data());
  });
}

}  // namespace

std::span<const Kernel> rope_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports_rope, prepare_rope>("row_table", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
