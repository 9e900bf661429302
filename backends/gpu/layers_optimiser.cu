// SPDX-License-Identifier: Apache-2.0
// AdamW with f32 master weights and moments.
//
// Idea: one packet of four elements of every tensor per thread and step, so that the f32 ones, which
// are nearly all of the traffic, are accessed by 16 bytes.
// Traffic: the gradient is read, master and moments are read and written, the model's copy is
// written: 24 bytes per element and two of narrower types.
// Limits: DRAM bandwidth.
#include <cmath>

#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {
namespace {

constexpr int threads = 256;

// Loshchilov, Hutter: Decoupled weight decay regularization, 2019; what does not depend on the
// element:
//   m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
//   w = w - decay w - rate m / (sqrt(v) root_correction + epsilon)
struct Step {
  float beta1, rest1, beta2, rest2;  // rest: 1 - beta, computed in f64
  float rate;                        // over m's correction, 1 - beta1^t
  float root_correction;             // 1 / sqrt(1 - beta2^t)
  float epsilon, decay;              // decay times rate

  __device__ void update(float g, float& w, float& m, float& v) const {
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    w = w - decay * w - rate * m / (sqrtf(v) * root_correction + epsilon);
  }
};

Step make_step() {
  const auto t = static_cast<double>(adamw.step);
  const auto narrow = [](double value) { return static_cast<float>(value); };
  return {.beta1 = narrow(adamw.beta1),
          .rest1 = narrow(1 - adamw.beta1),
          .beta2 = narrow(adamw.beta2),
          .rest2 = narrow(1 - adamw.beta2),
          .rate = narrow(adamw.rate / (1 - std::pow(adamw.beta1, t))),
          .root_correction = narrow(1 / std::sqrt(1 - std::pow(adamw.beta2, t))),
          .epsilon = narrow(adamw.epsilon),
          .decay = narrow(adamw.rate * adamw.decay)};
}

template <class T, class G>
struct Parameters {
  const G* gradient;
  float *master, *moment1, *moment2;
  T* weight;
};

template <class T, class G, int width>
__global__ void __launch_bounds__(threads)
    adamw_step(Parameters<T, G> p, Step step, std::int64_t count) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * threads * width;
  for (std::int64_t i = (static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x) * width;
       i < count; i += stride) {
    const auto gradient = load_vector<width, true>(p.gradient + i);
    auto w = load_vector<width, true>(p.master + i);
    auto m = load_vector<width, true>(p.moment1 + i);
    auto v = load_vector<width, true>(p.moment2 + i);
    Vector<T, width> weight;
#pragma unroll
    for (int e = 0; e < width; ++e) {
      step.update(to_float(gradient.element[e]), w.element[e], m.element[e], v.element[e]);
      weight.element[e] = from_float<T>(w.element[e]);
    }
    store_vector<true>(p.master + i, w);
    store_vector<true>(p.moment1 + i, m);
    store_vector<true>(p.moment2 + i, v);
    store_vector(p.weight + i, weight);
  }
}

template <class T, class G, int width>
void enqueue_width(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  const std::int64_t count = p.rows * p.columns;
  launch(adamw_step<T, G, width>, packet_grid(device, count / width), device.stream(),
         Parameters<T, G>{arguments.get<G>("gradient"), arguments.get<float>("master"),
                          arguments.get<float>("moment1"), arguments.get<float>("moment2"),
                          arguments.get<T>("weight")},
         make_step(), count);
}

template <class T, class G>
void enqueue_types(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  if (p.columns % 4 == 0)
    enqueue_width<T, G, 4>(device, p, arguments);
  else
    enqueue_width<T, G, 1>(device, p, arguments);
}

void enqueue_adamw(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  with_float_type(p.dtype, [&]<class T>(T) {
    if (p.f32_gradient)
      enqueue_types<T, float>(device, p, arguments);
    else
      enqueue_types<T, T>(device, p, arguments);
  });
}

}  // namespace

std::span<const Kernel> optimiser_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports<Pass::forward, LayerOp::adamw>, prepare_layer<enqueue_adamw>>("stream",
                                                                                    Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
