// SPDX-License-Identifier: Apache-2.0
// Streams through arrays.
//
// Idea: every access is 16 bytes and neighbours in a warp access neighbours in memory; a thread has
// `unroll` loads in flight before it uses the first, because a device needs about latency times
// bandwidth in flight (Little's law: 1.2 MB on an H100, 2 to 4 MB on an MI300X).
// Traffic: each array once.
// Limits: DRAM bandwidth. Which unroll, grid and cache policy come closest differs by device, so
// prepare() tries them all and the row says which one won.
#include "backends/gpu/memory.h"

#include <algorithm>
#include <string_view>

#include "backends/gpu/kernels.h"
#include "backends/gpu/team.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {
namespace {

constexpr int threads = 256;

// What one access moves.
template <class T>
using Packet = Vector<T, 16 / sizeof(T)>;

// What is computed of element x[i] and, where `inputs` is 2, y[i].
struct Write {
  static constexpr int inputs = 0;
  template <class T>
  static __device__ T of(T, T) {
    return static_cast<T>(stream_scalar);
  }
};
struct First {
  static constexpr int inputs = 1;
  template <class T>
  static __device__ T of(T x, T) {
    return x;
  }
};
struct Scaled {
  static constexpr int inputs = 1;
  template <class T>
  static __device__ T of(T x, T) {
    return static_cast<T>(stream_scalar) * x;
  }
};
struct Sum {
  static constexpr int inputs = 2;
  template <class T>
  static __device__ T of(T x, T y) {
    return x + y;
  }
};
struct ScaledSum {
  static constexpr int inputs = 2;
  template <class T>
  static __device__ T of(T x, T y) {
    return x + static_cast<T>(stream_scalar) * y;
  }
};
struct Product {
  static constexpr int inputs = 2;
  template <class T>
  static __device__ T of(T x, T y) {
    return x * y;
  }
};

// Calls use(i, x vector, y vector) for every whole 16-byte vector of the arrays, and rest(i, x, y)
// for the elements that fill none.
template <class Op, int unroll, bool streaming, class T, class Use, class Rest>
__device__ void stream_through(const T* x, const T* y, std::int64_t count, Use use, Rest rest) {
  constexpr int size = Packet<T>::size;
  const std::int64_t vectors = count / size;
  const std::int64_t piece = static_cast<std::int64_t>(threads) * unroll;
  for (std::int64_t base = blockIdx.x * piece + threadIdx.x; base < vectors;
       base += gridDim.x * piece) {
    Packet<T> a[unroll] = {}, b[unroll] = {};
#pragma unroll
    for (int u = 0; u < unroll; ++u) {
      const std::int64_t i = base + u * threads;
      if (i >= vectors) break;
      if constexpr (Op::inputs > 0) a[u] = load_vector<size, streaming>(x + i * size);
      if constexpr (Op::inputs > 1) b[u] = load_vector<size, streaming>(y + i * size);
    }
#pragma unroll
    for (int u = 0; u < unroll; ++u) {
      const std::int64_t i = base + u * threads;
      if (i < vectors) use(i, a[u], b[u]);
    }
  }
  const std::int64_t last = vectors * size + threadIdx.x;
  if (blockIdx.x == 0 && last < count)
    rest(last, Op::inputs > 0 ? x[last] : T{}, Op::inputs > 1 ? y[last] : T{});
}

// out[count] = Op(x[count], y[count])
template <class Op, class T, int unroll, bool streaming>
__global__ void __launch_bounds__(threads, 1)
    map(T* out, const T* x, const T* y, std::int64_t count) {
  stream_through<Op, unroll, streaming>(
      x, y, count,
      [=](std::int64_t i, const Packet<T>& a, const Packet<T>& b) {
        Packet<T> result;
#pragma unroll
        for (int e = 0; e < Packet<T>::size; ++e)
          result.element[e] = Op::of(a.element[e], b.element[e]);
        store_vector<streaming>(out + i * Packet<T>::size, result);
      },
      [=](std::int64_t i, T a, T b) { out[i] = Op::of(a, b); });
}

// Adds the threads' values of a block up in thread 0.
__device__ double block_sum(double value) {
  __shared__ double of_warps[threads / warp_size];
  value = warp_reduce(value, Add{});
  if (threadIdx.x % warp_size == 0) of_warps[threadIdx.x / warp_size] = value;
  __syncthreads();
  double total = 0;
  if (threadIdx.x == 0)
    for (const double sum : of_warps) total += sum;
  return total;
}

// partial[block] = the sum of Op(x, y) over the block's pieces: in T within a thread, in f64 beyond.
template <class Op, class T, int unroll, bool streaming>
__global__ void __launch_bounds__(threads)
    partial_sums(double* partial, const T* x, const T* y, std::int64_t count) {
  T sums[Packet<T>::size] = {};
  stream_through<Op, unroll, streaming>(
      x, y, count,
      [&](std::int64_t, const Packet<T>& a, const Packet<T>& b) {
#pragma unroll
        for (int e = 0; e < Packet<T>::size; ++e) sums[e] += Op::of(a.element[e], b.element[e]);
      },
      [&](std::int64_t, T a, T b) { sums[0] += Op::of(a, b); });
  double sum = 0;
  for (const T s : sums) sum += static_cast<double>(s);
  const double total = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = total;
}

template <class T>
__global__ void __launch_bounds__(threads)
    sum_up(T* sum, const double* partial, std::int64_t count) {
  double mine = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += threads) mine += partial[i];
  const double total = block_sum(mine);
  if (threadIdx.x == 0) *sum = static_cast<T>(total);
}

// One stream, ready to be enqueued.
struct StreamLaunch {
  Grid grid;
  StreamHandle queue;
  void* out;
  const void* x;
  const void* y;
  std::int64_t count;
  double* partial;  // one sum per block; null where the operation has no sum
};

template <class Op, class T, int unroll, bool streaming>
void enqueue_stream(const StreamLaunch& l) {
  const auto* x = static_cast<const T*>(l.x);
  const auto* y = static_cast<const T*>(l.y);
  if (l.partial == nullptr)
    return launch(map<Op, T, unroll, streaming>, l.grid, l.queue, static_cast<T*>(l.out), x, y,
                  l.count);
  launch(partial_sums<Op, T, unroll, streaming>, l.grid, l.queue, l.partial, x, y, l.count);
  launch(sum_up<T>, {.threads = threads}, l.queue, static_cast<T*>(l.out), l.partial,
         l.grid.blocks);
}

using Enqueue = void (*)(const StreamLaunch&);

template <class Op, class T>
Enqueue with_variant(const StreamVariant& v) {
  const bool streaming = v.streaming;
  switch (v.unroll) {
    case 2:
      return streaming ? enqueue_stream<Op, T, 2, true> : enqueue_stream<Op, T, 2, false>;
    case 4:
      return streaming ? enqueue_stream<Op, T, 4, true> : enqueue_stream<Op, T, 4, false>;
    case 8:
      return streaming ? enqueue_stream<Op, T, 8, true> : enqueue_stream<Op, T, 8, false>;
    default:
      return streaming ? enqueue_stream<Op, T, 16, true> : enqueue_stream<Op, T, 16, false>;
  }
}

// The kernel of an operation, and its arrays in out = Op(x, y) by the names that operands() gives
// them.
struct Plan {
  Enqueue enqueue = nullptr;
  std::string_view out, x = {}, y = {};
};

template <class T>
Plan plan(MemoryOp op, const StreamVariant& v) {
  switch (op) {
    case MemoryOp::read:
      return {with_variant<First, T>(v), "sum", "a"};
    case MemoryOp::write:
      return {with_variant<Write, T>(v), "a"};
    case MemoryOp::copy:
      return {with_variant<First, T>(v), "c", "a"};
    case MemoryOp::mul:
      return {with_variant<Scaled, T>(v), "b", "c"};
    case MemoryOp::add:
      return {with_variant<Sum, T>(v), "c", "a", "b"};
    case MemoryOp::triad:
      return {with_variant<ScaledSum, T>(v), "a", "b", "c"};
    case MemoryOp::dot:
      return {with_variant<Product, T>(v), "sum", "a", "b"};
    case MemoryOp::chase:
      break;
  }
  return {};
}

std::int64_t blocks_for(const StreamVariant& variant, const GpuDevice& device, std::int64_t bytes) {
  const std::int64_t piece = std::int64_t{threads} * variant.unroll * 16;
  const std::int64_t pieces = std::max<std::int64_t>(1, (bytes + piece - 1) / piece);
  if (variant.blocks_per_unit == 0) return pieces;
  return std::min(pieces, std::int64_t{variant.blocks_per_unit} * device.info().compute_units);
}

Support supports(const Memory& p, const DeviceInfo&) {
  if (p.op == MemoryOp::chase) return {Support::foreign, {}};
  if (p.dtype != DType::f64 && p.dtype != DType::f32)
    return {Support::no, "GPUs stream f64 and f32, not " + std::string(name(p.dtype))};
  return {};
}

// Seconds of one launch: the shortest of a few, after one that warms up.
double try_out(GpuDevice& device, Run& run) {
  constexpr int tries = 3;
  device.time(run, {});
  double best = device.time(run, {}).device_seconds;
  for (int i = 1; i < tries; ++i) best = std::min(best, device.time(run, {}).device_seconds);
  return best;
}

// The variant that is fastest on one operand set. An emulated device has no times to choose by.
StreamVariant fastest(GpuDevice& device, const Memory& p, const Inputs& inputs) {
  const std::vector<StreamVariant> variants = stream_variants();
  if (device.info().emulated) return variants.front();
  Inputs ones =
      inputs;  // what is streamed does not matter to how long it takes, but to fill it does
  ones.fill = Fill::ones;
  ones.copies = 1;
  StreamVariant best = variants.front();
  double shortest = 0;
  for (const StreamVariant& variant : variants) {
    const auto run = prepare_stream(variant, device, p, ones);
    const double seconds = try_out(device, *run);
    if (shortest == 0 || seconds < shortest) best = variant, shortest = seconds;
  }
  return best;
}

std::unique_ptr<Run> prepare(GpuDevice& device, const Memory& p, const Inputs& inputs) {
  return prepare_stream(fastest(device, p, inputs), device, p, inputs);
}

// Idea: one thread follows a chain in which every load's address is the result of the load before.
// Traffic: one line of 128 bytes per step. Limits: the latency of whatever level holds the working
// set; the time is steps times one latency.
__global__ void follow(std::int32_t* last, const std::int32_t* next, std::int64_t steps) {
  // 0 in the only thread; a literal would let AMD's compiler load by the scalar cache instead.
  std::int32_t place = static_cast<std::int32_t>(threadIdx.x);
  for (std::int64_t step = 0; step < steps; ++step) place = next[place];
  *last = place;
}

Support supports_chase(const Memory& p, const DeviceInfo&) {
  return {p.op == MemoryOp::chase ? Support::yes : Support::foreign, {}};
}

std::unique_ptr<Run> prepare_chase(GpuDevice& device, const Memory& p, const Inputs& inputs) {
  const std::int64_t steps = chase_steps(p);
  return make_run(device, p, inputs, [=, &device](const Arguments& arguments) {
    launch(follow, {}, device.stream(), arguments.get<std::int32_t>("last"),
           arguments.get<std::int32_t>("next"), steps);
  });
}

}  // namespace

std::string StreamVariant::name() const {
  return "unroll " + std::to_string(unroll) + ", " +
         (blocks_per_unit == 0 ? "one block per piece"
                               : std::to_string(blocks_per_unit) + " blocks per multiprocessor") +
         (streaming ? ", streaming" : ", cached");
}

std::vector<StreamVariant> stream_variants() {
  std::vector<StreamVariant> all;
  for (const bool streaming : {true, false})
    for (const int blocks_per_unit : {0, 8, 32, 128})
      for (const int unroll : {4, 2, 8, 16}) all.push_back({unroll, blocks_per_unit, streaming});
  return all;
}

std::unique_ptr<Run> prepare_stream(const StreamVariant& variant, GpuDevice& device,
                                    const Memory& p, const Inputs& inputs) {
  const Plan chosen =
      p.dtype == DType::f64 ? plan<double>(p.op, variant) : plan<float>(p.op, variant);
  const bool sums = p.op == MemoryOp::read || p.op == MemoryOp::dot;
  const Grid grid = {.blocks = blocks_for(variant, device, p.bytes), .threads = threads};
  const auto partial =
      std::make_shared<Buffer<double>>(sums ? static_cast<std::size_t>(grid.blocks) : 0);
  const auto body = [=, &device](const Arguments& arguments) {
    const auto data = [&](std::string_view array) {
      return array.empty() ? nullptr : arguments.data(array);
    };
    chosen.enqueue({grid, device.stream(), data(chosen.out), data(chosen.x), data(chosen.y),
                    p.bytes * 8 / bits(p.dtype), partial->data()});
  };
  return make_run(device, p, inputs, body, {.detail = variant.name()});
}

std::span<const Kernel> memory_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports, prepare>("stream", Tier::portable),
      kernel<supports_chase, prepare_chase>("pointer_chase", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
