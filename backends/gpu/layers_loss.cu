// SPDX-License-Identifier: Apache-2.0
// Log probabilities of a class, cross entropy, and the gradient of its mean.
//
// Idea: online softmax. Every thread keeps the largest of its logits and the sum of exponentials
// relative to it, and corrects the sum when a larger one comes; the team merges both. So one reading
// gives log sum exp.
// Traffic: the logits once; the gradient reads them a second time, from the L2 cache where that holds
// the rows under way.
// Limits: DRAM bandwidth; for bf16 and f16 the rate of exponentials is not far behind. Rows fewer
// than compute units leave some idle.
#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/team.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {
namespace {

constexpr float log2_e = 1.44269504f;
constexpr float below_all = -1e38f;  // but in reach of finite differences: logits may be -infinity
constexpr std::int64_t elements_per_thread = 64;  // of a row, where it is long

struct Softmax {
  float largest, sum;  // sum of exp(logit - largest)

  __device__ float log_sum_exp() const { return largest + logf(sum); }
};

template <int width, bool streaming, class T>
__device__ Softmax online_softmax(const Team& team, const T* logits, std::int64_t columns) {
  Softmax mine = {below_all, 0};
  each_packet<width>(team, columns, [&](std::int64_t column) {
    const auto packet = load_vector<width, streaming>(logits + column);
    float largest = mine.largest;
#pragma unroll
    for (const T logit : packet.element) largest = Larger{}(largest, to_float(logit));
    mine.sum *= exp2_approximate((mine.largest - largest) * log2_e);
#pragma unroll
    for (const T logit : packet.element)
      mine.sum += exp2_approximate((to_float(logit) - largest) * log2_e);
    mine.largest = largest;
  });
  const float largest = team.max(mine.largest);
  return {largest, team.sum(mine.sum * exp2_approximate((mine.largest - largest) * log2_e))};
}

// result[rows] = sign (logit of the row's class - log sum exp of logits[rows, columns])
template <class T, int width>
__global__ void __launch_bounds__(most_threads, 1)
    class_log_probability(float* result, const T* logits, const std::int32_t* ids, float sign,
                          std::int64_t rows, std::int64_t columns, int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    const T* const own = logits + row * columns;
    const float log_sum = online_softmax<width, true>(team, own, columns).log_sum_exp();
    if (team.rank == 0) result[row] = sign * (to_float(own[ids[row]]) - log_sum);
  }
}

// dlogits[rows, columns] = (softmax(logits) - one hot) / rows
template <class T, int width>
__global__ void __launch_bounds__(most_threads, 1)
    cross_entropy_gradient(T* dlogits, const T* logits, const std::int32_t* ids, std::int64_t rows,
                           std::int64_t columns, int team_threads) {
  const Team team(team_threads);
  const float per_row = 1.f / static_cast<float>(rows);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    const T* const own = logits + row * columns;
    const Softmax softmax = online_softmax<width, false>(team, own, columns);
    const float factor = per_row / softmax.sum;
    const std::int64_t id = ids[row];
    each_packet<width>(team, columns, [&](std::int64_t column) {
      auto packet = load_vector<width, true>(own + column);
#pragma unroll
      for (int e = 0; e < width; ++e) {
        const float p = expf(to_float(packet.element[e]) - softmax.largest) * factor;
        packet.element[e] = from_float<T>(column + e == id ? p - per_row : p);
      }
      store_vector(dlogits + row * columns + column, packet);
    });
  }
}

RowGrid loss_grid(const GpuDevice& device, const Layer& p) {
  return row_grid(device, p.rows, (p.columns + elements_per_thread - 1) / elements_per_thread,
                  most_threads);
}

void enqueue_log_probability(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  const RowGrid rows = loss_grid(device, p);
  const bool loss = p.op == LayerOp::cross_entropy;
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    launch(class_log_probability<T, width>, rows.grid, device.stream(),
           arguments.get<float>(loss ? "loss" : "logp"), arguments.get<T>("logits"),
           arguments.get<std::int32_t>("ids"), loss ? -1.f : 1.f, p.rows, p.columns, rows.team);
  });
}

void enqueue_gradient(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  const RowGrid rows = loss_grid(device, p);
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    launch(cross_entropy_gradient<T, width>, rows.grid, device.stream(),
           arguments.get<T>("dlogits"), arguments.get<T>("logits"),
           arguments.get<std::int32_t>("ids"), p.rows, p.columns, rows.team);
  });
}

}  // namespace

std::span<const Kernel> loss_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports<Pass::forward, LayerOp::cross_entropy, LayerOp::log_probabilities>,
             prepare_layer<enqueue_log_probability>>("online_softmax", Tier::portable),
      kernel<supports<Pass::backward, LayerOp::cross_entropy>, prepare_layer<enqueue_gradient>>(
          "online_softmax", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
