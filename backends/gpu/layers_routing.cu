// SPDX-License-Identifier: Apache-2.0
// Experts of a mixture: which ones a token goes to, and the weighted sum of what they make of it.
#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/team.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {
namespace {

constexpr int route_threads = 256, sum_threads = 256;

// Orders candidates: the larger logit first, of equal ones the expert of the smaller number. 0 is
// behind every candidate.
using Rank = unsigned long long;

__device__ Rank rank_of(float logit, int expert) {
  const unsigned bits = __float_as_uint(logit + 0.f);  // -0 is 0
  const unsigned ordered = bits >> 31 ? ~bits : bits | 0x80000000;
  return static_cast<Rank>(ordered) << 32 | ~static_cast<unsigned>(expert);
}
__device__ int expert_of(Rank rank) {
  return static_cast<int>(~static_cast<unsigned>(rank));
}
__device__ float logit_of(Rank rank) {
  const auto ordered = static_cast<unsigned>(rank >> 32);
  return __uint_as_float(ordered >> 31 ? ordered & 0x7fffffff : ~ordered);
}

// Idea: a warp holds a token's logits in registers and takes the largest of those behind the last
// choice, as often as there are choices. Logit and expert are one number whose order is the wanted one.
// Traffic: the logits once.
// Limits: a token takes choices times (logits per lane + shuffles) instructions of its warp.
// choice[rows, choices]: the largest logits[rows, experts]; weight[rows, choices]: their softmax.
template <class T, int per_lane>
__global__ void __launch_bounds__(route_threads)
    choose_experts(std::int32_t* choice, float* weight, const T* logits, std::int64_t rows,
                   int experts, int choices) {
  const Team team(warp_size);
  for (std::int64_t row = team.number; row < rows; row += team.count) {
    Rank held[per_lane];
#pragma unroll
    for (int i = 0; i < per_lane; ++i) {
      const int expert = i * warp_size + team.rank;
      held[i] =
          expert < experts ? rank_of(to_float(logits[row * experts + expert]), expert) : Rank{0};
    }
    Rank last = ~Rank{0};
    float largest = 0, sum = 0;
    for (int c = 0; c < choices; ++c) {
      Rank best = 0;
#pragma unroll
      for (const Rank rank : held) best = rank < last && rank > best ? rank : best;
      last = warp_reduce(best, [](Rank a, Rank b) { return a < b ? b : a; });
      if (c == 0) largest = logit_of(last);
      const float share = expf(logit_of(last) - largest);
      sum += share;
      if (c % warp_size != team.rank) continue;
      choice[row * choices + c] = expert_of(last);
      weight[row * choices + c] = share;
    }
    for (int c = team.rank; c < choices; c += warp_size)  // the lane that wrote it
      weight[row * choices + c] /= sum;
  }
}

// The most logits per lane that kernels are compiled for.
constexpr int most_per_lane = 16;

Support supports_route(const Layer& p, const DeviceInfo& info) {
  const Support support = supports<Pass::forward, LayerOp::route>(p, info);
  constexpr std::int64_t most_experts = std::int64_t{most_per_lane} * warp_size;
  if (support.answer != Support::yes || p.entries <= most_experts) return support;
  return {Support::no,
          "a warp holds the logits of up to " + std::to_string(most_experts) + " experts"};
}

template <class T, int per_lane>
void enqueue_choice(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  if constexpr (per_lane < most_per_lane)
    if (p.entries > per_lane * warp_size)
      return enqueue_choice<T, 2 * per_lane>(device, p, arguments);
  const RowGrid rows = row_grid(device, p.rows, warp_size, warp_size);
  launch(choose_experts<T, per_lane>, rows.grid, device.stream(),
         arguments.get<std::int32_t>("choice"), arguments.get<float>("weight"),
         arguments.get<T>("logits"), p.rows, static_cast<int>(p.entries),
         static_cast<int>(p.choices));
}

void enqueue_route(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  with_float_type(p.dtype, [&]<class T>(T) { enqueue_choice<T, 1>(device, p, arguments); });
}

// Idea: a team makes a token by adding up, packet by packet, the rows of its copies.
// Traffic: y and x once; places and weights from the caches.
// Limits: DRAM bandwidth.
// x[rows, columns] = sum over c of weight[rows, c] y[place[rows, c], columns]
template <class T, int width>
__global__ void __launch_bounds__(sum_threads)
    sum_copies(T* x, const T* y, const std::int32_t* place, const float* weight, std::int64_t rows,
               std::int64_t columns, int choices, int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < rows; row += team.count)
    for (std::int64_t column = std::int64_t{width} * team.rank; column < columns;
         column += std::int64_t{width} * team.size) {
      float sum[width] = {};
#pragma unroll 4
      for (int c = 0; c < choices; ++c) {
        const std::int64_t from = place[row * choices + c];
        const float factor = weight[row * choices + c];
        const auto packet = load_vector<width, true>(y + from * columns + column);
#pragma unroll
        for (int e = 0; e < width; ++e) sum[e] += factor * to_float(packet.element[e]);
      }
      Vector<T, width> result;
#pragma unroll
      for (int e = 0; e < width; ++e) result.element[e] = from_float<T>(sum[e]);
      store_vector(x + row * columns + column, result);
    }
}

void enqueue_unpermute(const GpuDevice& device, const Layer& p, const Arguments& arguments) {
  with_type_and_width(p.dtype, p.columns, [&]<class T, int width>(T, Width<width>) {
    const RowGrid rows = row_grid(device, p.rows, p.columns / width, sum_threads);
    launch(sum_copies<T, width>, rows.grid, device.stream(), arguments.get<T>("x"),
           arguments.get<T>("y"), arguments.get<std::int32_t>("place"),
           arguments.get<float>("weight"), p.rows, p.columns, static_cast<int>(p.choices),
           rows.team);
  });
}

}  // namespace

std::span<const Kernel> routing_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports_route, prepare_layer<enqueue_route>>("warp_selection", Tier::portable),
      kernel<supports<Pass::forward, LayerOp::unpermute>, prepare_layer<enqueue_unpermute>>(
          "sum_of_rows", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
