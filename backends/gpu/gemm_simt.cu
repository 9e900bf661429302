// SPDX-License-Identifier: Apache-2.0
// GEMM without matrix units.
//
// Idea: a block computes a tile of C from slabs of A and B in shared memory; each thread keeps an
// 8x8 (f64: 4x4) part of it in registers and reads from shared memory what makes its next outer
// product. The values of the next slab travel to registers meanwhile.
// Traffic: A once per tile column, B once per tile row, most of it from L2; C once.
// Limits: the fused multiply-adds of ordinary lanes.
#include "backends/gpu/device.h"
#include "backends/gpu/gemm_epilogue.h"
#include "backends/gpu/kernels.h"
#include "backends/gpu/tile_schedule.h"

namespace steelyard::gpu {
namespace {

constexpr int edge_threads = 16;  // of a block, along rows and columns
constexpr int threads = edge_threads * edge_threads;
constexpr int slab = 16;  // of the depth
template <class T>
constexpr int part = sizeof(T) == 8 ? 4 : 8;  // rows and columns of a thread
template <class T>
constexpr int tile = edge_threads* part<T>;

struct SimtGemm {
  const void* a = nullptr;
  const void* b = nullptr;
  int k = 0;
  TileSchedule schedule;
  Epilogue epilogue;
};

// A factor by its rows and depth, whichever of them is contiguous.
template <class T>
struct Factor {
  const T* data;
  std::int64_t row_stride, depth_stride;
  int rows, depth;

  __device__ T at(int row, int d) const {
    return row < rows && d < depth ? data[row * row_stride + d * depth_stride] : T{};
  }
};

// The values of a slab that a thread brings to shared memory. Neighbouring threads read what is
// contiguous.
template <class T>
class SlabCopy {
 public:
  __device__ void issue(const Factor<T>& from, int row, int depth) {
    for_each(from, [&](int i, int r, int d) { held_[i] = from.at(row + r, depth + d); });
  }
  __device__ void commit(const Factor<T>& from, T (&to)[slab][tile<T> + 1]) const {
    for_each(from, [&](int i, int r, int d) { to[d][r] = held_[i]; });
  }

 private:
  static constexpr int each = tile<T> * slab / threads;

  template <class F>
  static __device__ void for_each(const Factor<T>& from, F f) {
    const bool along_depth = from.depth_stride == 1;
#pragma unroll
    for (int i = 0; i < each; ++i) {
      const int index = static_cast<int>(threadIdx.x) + i * threads;
      if (along_depth)
        f(i, index / slab, index % slab);
      else
        f(i, index % tile<T>, index / tile<T>);
    }
  }

  T held_[each];
};

template <class T>
struct Slabs {
  T a[slab][tile<T> + 1], b[slab][tile<T> + 1];  // one more: columns lie in different banks
};

// sums[i][j] += the products of row y + 16 i and column x + 16 j.
template <class T>
__device__ void multiply_slab(T (&sums)[part<T>][part<T>], const Slabs<T>& s, int x, int y) {
#pragma unroll
  for (int d = 0; d < slab; ++d) {
    T a[part<T>], b[part<T>];
#pragma unroll
    for (int i = 0; i < part<T>; ++i) {
      a[i] = s.a[d][y + edge_threads * i];
      b[i] = s.b[d][x + edge_threads * i];
    }
#pragma unroll
    for (int i = 0; i < part<T>; ++i)
#pragma unroll
      for (int j = 0; j < part<T>; ++j) sums[i][j] += a[i] * b[j];
  }
}

template <class T>
__global__ void __launch_bounds__(threads) multiply(SimtGemm p, Factor<T> a, Factor<T> b) {
  __shared__ Slabs<T> shared[2];
  const TilePlace place = place_tile(p.schedule, tile<T>, tile<T>);
  if (place.first_row >= place.last_row) return;
  a.rows = place.last_row;
  b.data += static_cast<std::int64_t>(place.group) * p.k * p.schedule.n;
  const int x = static_cast<int>(threadIdx.x) % edge_threads;
  const int y = static_cast<int>(threadIdx.x) / edge_threads;
  SlabCopy<T> copy_a, copy_b;
  const auto issue = [&](int depth) {
    copy_a.issue(a, place.first_row, depth);
    copy_b.issue(b, place.first_column, depth);
  };
  T sums[part<T>][part<T>] = {};
  issue(0);
  int stage = 0;
  for (int depth = 0; depth < p.k; depth += slab) {
    copy_a.commit(a, shared[stage].a);
    copy_b.commit(b, shared[stage].b);
    __syncthreads();
    if (depth + slab < p.k) issue(depth + slab);
    multiply_slab(sums, shared[stage], x, y);
    stage = 1 - stage;
  }
#pragma unroll
  for (int i = 0; i < part<T>; ++i)
#pragma unroll
    for (int j = 0; j < part<T>; ++j) {
      const int row = place.first_row + y + edge_threads * i;
      const int column = place.first_column + x + edge_threads * j;
      if (row < place.last_row && column < p.schedule.n)
        static_cast<T*>(p.epilogue.c)[static_cast<std::int64_t>(row) * p.schedule.n + column] =
            finish<T>(p.epilogue, row, column, sums[i][j]);
    }
}

template <class T>
void enqueue(const Gemm& p, const SimtGemm& call, StreamHandle stream) {
  const bool a_transposed = p.layout == Layout::tn, b_transposed = p.layout == Layout::nt;
  const auto m = static_cast<int>(p.m), n = static_cast<int>(p.n);
  const Factor<T> a = {static_cast<const T*>(call.a), a_transposed ? 1 : p.k,
                       a_transposed ? p.m : 1, m, call.k};
  const Factor<T> b = {static_cast<const T*>(call.b), b_transposed ? p.k : 1,
                       b_transposed ? 1 : p.n, n, call.k};
  const std::int64_t across = (p.n + tile<T> - 1) / tile<T>;
  launch(multiply<T>, {.blocks = tile_rows(call.schedule, tile<T>) * across, .threads = threads},
         stream, call, a, b);
}

Support supports(const Gemm& p, const DeviceInfo&) {
  const bool uniform_types = p.a == p.b && p.b == p.c;
  if (!uniform_types || (p.a != DType::f32 && p.a != DType::f64) || p.scaling != Scaling::none)
    return {Support::no, "ordinary lanes multiply f32 and f64, not " + std::string(name(p.a)) +
                             " by " + std::string(name(p.b)) + " into " + std::string(name(p.c))};
  return {};
}

std::unique_ptr<Run> prepare(GpuDevice& device, const Gemm& p, const Inputs& inputs) {
  const auto body = [=, &device](const Arguments& arguments) {
    SimtGemm call = {
        .a = arguments.data("a"),
        .b = arguments.data("b"),
        .k = static_cast<int>(p.k),
        .schedule = {.m = static_cast<int>(p.m),
                     .n = static_cast<int>(p.n),
                     .groups = static_cast<int>(p.groups)},
        .epilogue = {
            .c = arguments.data("c"), .type = p.c, .n = p.n, .alpha = p.alpha, .beta = p.beta}};
    if (p.groups > 1) call.schedule.offsets = arguments.get<std::int32_t>("offsets");
    if (p.a == DType::f64)
      enqueue<double>(p, call, device.stream());
    else
      enqueue<float>(p, call, device.stream());
  };
  const int edge = p.a == DType::f64 ? tile<double> : tile<float>;
  return make_run(
      device, p, inputs, body,
      {.detail = std::to_string(edge) + "x" + std::to_string(edge) + "x" + std::to_string(slab)});
}

}  // namespace

std::span<const Kernel> gemm_simt_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("simt", Tier::portable)};
  return table;
}

}  // namespace steelyard::gpu
