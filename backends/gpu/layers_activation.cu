// SPDX-License-Identifier: Apache-2.0
// Element by element: SwiGLU, GELU, and the additions of a residual and of a bias.
//
// Idea: every access is 16 bytes, neighbouring threads access neighbouring packets, and a grid that
// fills the device strides through them. A bias stays in the registers of the threads that own its
// columns while they go down the rows.
// Traffic: each tensor once, past the caches where it is read.
// Limits: DRAM bandwidth.
#include <algorithm>
#include <array>
#include <string_view>

#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/team.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {
namespace {

constexpr int threads = 256;

__device__ float sigmoid(float x) {
  return 1.f / (1.f + expf(-x));
}

// GELU in the form of GPT-2, x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), is
// x sigmoid(2 u).
constexpr float gelu_slope = 2 * 0.7978845608028654f, gelu_cubic = 0.044715f;

__device__ float gelu_sigmoid(float x) {
  return sigmoid(gelu_slope * (x + gelu_cubic * x * x * x));
}

// An operation: the names of its tensors, and what it makes of one element of each.
struct SwiGlu {
  static constexpr std::array<std::string_view, 2> inputs = {"gate", "up"};
  static constexpr std::array<std::string_view, 1> outputs = {"y"};
  static __device__ void apply(const float (&in)[2], float (&out)[1]) {
    out[0] = in[0] * sigmoid(in[0]) * in[1];
  }
};
struct SwiGluGradient {
  static constexpr std::array<std::string_view, 3> inputs = {"gate", "up", "dy"};
  static constexpr std::array<std::string_view, 2> outputs = {"dgate", "dup"};
  static __device__ void apply(const float (&in)[3], float (&out)[2]) {
    const float gate = in[0], up = in[1], dy = in[2], s = sigmoid(gate);
    out[0] = dy * up * s * (1.f + gate * (1.f - s));
    out[1] = dy * gate * s;
  }
};
struct Gelu {
  static constexpr std::array<std::string_view, 1> inputs = {"x"};
  static constexpr std::array<std::string_view, 1> outputs = {"y"};
  static __device__ void apply(const float (&in)[1], float (&out)[1]) {
    out[0] = in[0] * gelu_sigmoid(in[0]);
  }
};
struct GeluGradient {
  static constexpr std::array<std::string_view, 2> inputs = {"x", "dy"};
  static constexpr std::array<std::string_view, 1> outputs = {"dx"};
  static __device__ void apply(const float (&in)[2], float (&out)[1]) {
    const float x = in[0], s = gelu_sigmoid(x);
    const float slope = gelu_slope * (1.f + 3.f * gelu_cubic * x * x);
    out[0] = in[1] * (s + x * (s * (1.f - s) * slope));
  }
};
struct ResidualAdd {
  static constexpr std::array<std::string_view, 2> inputs = {"x", "residual"};
  static constexpr std::array<std::string_view, 1> outputs = {"y"};
  static __device__ void apply(const float (&in)[2], float (&out)[1]) { out[0] = in[0] + in[1]; }
};

template <class Op, class T>
struct Tensors {
  static constexpr int inputs = std::tuple_size_v<decltype(Op::inputs)>;
  static constexpr int outputs = std::tuple_size_v<decltype(Op::outputs)>;

  const T* in[inputs];
  T* out[outputs];
};

template <class Op, class T, int width>
__global__ void __launch_bounds__(threads) map(Tensors<Op, T> t, std::int64_t count) {
  constexpr int inputs = Tensors<Op, T>::inputs, outputs = Tensors<Op, T>::outputs;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * threads * width;
  for (std::int64_t i = (static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x) * width;
       i < count; i += stride) {
    Vector<T, width> in[inputs], out[outputs];
#pragma unroll
    for (int n = 0; n < inputs; ++n) in[n] = load_vector<width, true>(t.in[n] + i);
#pragma unroll
    for (int e = 0; e < width; ++e) {
      float from[inputs], to[outputs];
#pragma unroll
      for (int n = 0; n < inputs; ++n) from[n] = to_float(in[n].element[e]);
      Op::apply(from, to);
#pragma unroll
      for (int n = 0; n < outputs; ++n) out[n].element[e] = from_float<T>(to[n]);
    }
#pragma unroll
    for (int n = 0; n < outputs; ++n) store_vector(t.out[n] + i, out[n]);
  }
}

template <class Op>
void enqueue_map(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  const std::int64_t count = p.rows * p.columns;
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    Tensors<Op, T> tensors;
    for (int n = 0; n < tensors.inputs; ++n) tensors.in[n] = arguments.get<T>(Op::inputs[n]);
    for (int n = 0; n < tensors.outputs; ++n) tensors.out[n] = arguments.get<T>(Op::outputs[n]);
    launch(map<Op, T, width>, packet_grid(device, count / width), device.stream(), tensors, count);
  });
}

// y[rows, columns] = x[rows, columns] + bias[columns]: blocks along x share a row between them,
// blocks along y take rows in turn.
template <class T, int width>
__global__ void __launch_bounds__(threads)
    add_bias(T* y, const T* x, const T* bias, std::int64_t rows, std::int64_t columns) {
  const std::int64_t column =
      (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * width;
  if (column >= columns) return;
  const auto b = load_vector<width>(bias + column);
#pragma unroll 4
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    auto value = load_vector<width, true>(x + row * columns + column);
#pragma unroll
    for (int e = 0; e < width; ++e)
      value.element[e] = from_float<T>(to_float(value.element[e]) + to_float(b.element[e]));
    store_vector(y + row * columns + column, value);
  }
}

void enqueue_bias_add(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    const std::int64_t packets = p.columns / width, pieces = (packets + threads - 1) / threads;
    const std::int64_t resident = packet_grid(device, p.rows * pieces * threads).blocks;
    const Grid grid = {.blocks = pieces,
                       .threads = threads,
                       .blocks_y = std::clamp<std::int64_t>(resident / pieces, 1, p.rows)};
    launch(add_bias<T, width>, grid, device.stream(), arguments.get<T>("y"), arguments.get<T>("x"),
           arguments.get<T>("bias"), p.rows, p.columns);
  });
}

template <class Op, Pass pass, LayerOp op>
constexpr Kernel stream =
    kernel<supports<pass, op>, prepare_layer<enqueue_map<Op>>>("stream", Tier::portable);

}  // namespace

std::span<const Kernel> activation_kernels() {
  static constexpr Kernel table[] = {
      stream<SwiGlu, Pass::forward, LayerOp::swiglu>,
      stream<SwiGluGradient, Pass::backward, LayerOp::swiglu>,
      stream<Gelu, Pass::forward, LayerOp::gelu>,
      stream<GeluGradient, Pass::backward, LayerOp::gelu>,
      stream<ResidualAdd, Pass::forward, LayerOp::residual_add>,
      kernel<supports<Pass::forward, LayerOp::bias_add>, prepare_layer<enqueue_bias_add>>(
          "stream", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
