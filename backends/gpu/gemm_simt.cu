// SPDX-License-Identifier: Apache-2.0
// GEMM without matrix units.
//
// Idea: a block computes a tile of C from slabs of A and B in shared memory; each thread keeps an
// 8x8 (f64: 4x4) part of it in registers and reads from shared memory, 16 bytes at a time, what makes
// its next outer product. The values of the next slab travel to registers meanwhile.
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
constexpr int slab = 8;  // of the depth: two blocks fit beside each other
template <class T>
constexpr int run = 16 / sizeof(T);  // neighbours that are read at once
template <class T>
constexpr int part = 2 * run<T>;  // rows and columns of a thread: two runs of either
template <class T>
constexpr int tile = edge_threads* part<T>;
template <class T>
constexpr int pitch =
    tile<T> + run<T>;  // what is written at several depths lies in different banks

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
};

// The values of a slab that a thread brings to shared memory: evenly spaced, so that neighbouring
// threads read what is contiguous.
template <class T>
class SlabCopy {
 public:
  __device__ SlabCopy(const Factor<T>& from, int first_row) {
    const auto thread = static_cast<int>(threadIdx.x);
    const bool along_depth = from.depth_stride == 1;
    row_ = along_depth ? thread / slab : thread % tile<T>;
    depth_ = along_depth ? thread % slab : thread / tile<T>;
    row_step_ = along_depth ? threads / slab : 0;
    depth_step_ = along_depth ? 0 : threads / tile<T>;
    rows_left_ = from.rows - first_row - row_;
    depth_left_ = from.depth - depth_;
    data_ = from.data + (first_row + row_) * from.row_stride + depth_ * from.depth_stride;
    step_ = row_step_ * from.row_stride + depth_step_ * from.depth_stride;
    slab_step_ = slab * from.depth_stride;
  }

  // Starts to read the next slab.
  __device__ void issue() {
#pragma unroll
    for (int i = 0; i < each; ++i) {
      const bool inside = i * row_step_ < rows_left_ && i * depth_step_ < depth_left_;
      held_[i] = inside ? data_[i * step_] : T{};
    }
    data_ += slab_step_;
    depth_left_ -= slab;
  }
  __device__ void commit(T (&to)[slab][pitch<T>]) const {
#pragma unroll
    for (int i = 0; i < each; ++i) to[depth_ + i * depth_step_][row_ + i * row_step_] = held_[i];
  }

 private:
  static constexpr int each = tile<T> * slab / threads;

  const T* data_;
  std::int64_t step_, slab_step_;
  int row_, depth_, row_step_, depth_step_;  // of the first value, and between values
  int rows_left_, depth_left_;               // from the first value on
  T held_[each];
};

template <class T>
struct Slabs {
  alignas(16) T a[slab][pitch<T>], b[slab][pitch<T>];
};

// Where the i-th run of a thread begins, along rows or columns.
template <class T>
__device__ int run_at(int i, int thread) {
  return (i * edge_threads + thread) * run<T>;
}

// sums[i][j] += the products of row i of this thread and its j-th run of columns.
template <class T>
using Sums = Vector<T, run<T>>[part<T>][2];
template <class T>
__device__ __forceinline__ void multiply_slab(Sums<T>& sums, const Slabs<T>& s, int x, int y) {
#pragma unroll
  for (int d = 0; d < slab; ++d) {
    Vector<T, run<T>> a[2], b[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      a[i] = load_vector<run<T>>(&s.a[d][run_at<T>(i, y)]);
      b[i] = load_vector<run<T>>(&s.b[d][run_at<T>(i, x)]);
    }
#pragma unroll
    for (int i = 0; i < part<T>; ++i)
#pragma unroll
      for (int j = 0; j < part<T>; ++j)
        sums[i][j / run<T>].element[j % run<T>] +=
            a[i / run<T>].element[i % run<T>] * b[j / run<T>].element[j % run<T>];
  }
}

template <class T>
__global__ void __launch_bounds__(threads, 2) multiply(SimtGemm p, Factor<T> a, Factor<T> b) {
  __shared__ Slabs<T> shared[2];
  const TilePlace place = place_tile(p.schedule, tile<T>, tile<T>);
  if (place.first_row >= place.last_row) return;
  a.rows = place.last_row;
  b.data += static_cast<std::int64_t>(place.group) * p.k * p.schedule.n;
  const int x = static_cast<int>(threadIdx.x) % edge_threads;
  const int y = static_cast<int>(threadIdx.x) / edge_threads;
  SlabCopy<T> copy_a(a, place.first_row), copy_b(b, place.first_column);
  Sums<T> sums = {};
  copy_a.issue();
  copy_b.issue();
  int stage = 0;
  for (int depth = 0; depth < p.k; depth += slab) {
    copy_a.commit(shared[stage].a);
    copy_b.commit(shared[stage].b);
    __syncthreads();
    copy_a.issue();  // behind the end it reads nothing
    copy_b.issue();
    multiply_slab(sums, shared[stage], x, y);
    stage = 1 - stage;
  }
  const int n = p.schedule.n;
#pragma unroll
  for (int i = 0; i < part<T>; ++i)
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const int row = place.first_row + run_at<T>(i / run<T>, y) + i % run<T>;
      const int column = place.first_column + run_at<T>(j, x);
      if (row >= place.last_row || column >= n) continue;
      if (n % run<T> == 0)
        finish_run<T, true>(p.epilogue, row, column, sums[i][j]);
      else
        finish_run<T, false>(p.epilogue, row, column, sums[i][j]);
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
