// SPDX-License-Identifier: Apache-2.0
// Copies of tokens grouped by expert, in the order of tokens within each: a counting sort.
//
// Idea: the copies are cut into chunks, a warp for each. One pass counts every chunk's copies of each
// expert; a second turns the counts into where each chunk begins within an expert, and the experts'
// totals into offsets; in a third a warp walks through its chunk, the lanes of one expert found by
// votes over the bits of its number, and so in order. Then a team writes a token to all of its places.
// Traffic: x once, y once; of the sort some bytes per copy and chunks x experts counts, little beside
// them.
// Limits: DRAM bandwidth; with few tokens the latency of four launches.
#include "backends/gpu/kernels.h"
#include "backends/gpu/layers.h"
#include "backends/gpu/moved_rows.h"
#include "backends/gpu/team.h"

namespace steelyard::gpu {
namespace {

constexpr std::int64_t chunk_size = 512;
constexpr int count_threads = 256, scan_threads = most_threads, row_threads = 256;

struct Copies {
  const std::int32_t* choice;  // [count]: the expert of each copy
  std::int64_t count;
  std::int32_t* counts;  // [experts, chunks]: first how many, then how many in front of the chunk
  std::int64_t chunks;
  int experts;
};

// A block for each chunk; counts are of its own.
__global__ void __launch_bounds__(count_threads) count_copies(Copies p) {
  const std::int64_t chunk = blockIdx.x, first = chunk * chunk_size;
  for (int expert = static_cast<int>(threadIdx.x); expert < p.experts; expert += count_threads)
    p.counts[expert * p.chunks + chunk] = 0;
  __syncthreads();
  for (std::int64_t copy = first + threadIdx.x; copy < first + chunk_size && copy < p.count;
       copy += count_threads)
    atomicAdd(p.counts + p.choice[copy] * p.chunks + chunk, 1);
}

// The sum of the values of this lane and of those in front of it.
__device__ int warp_scan(int value) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
#pragma unroll
  for (int step = 1; step < warp_size; step *= 2) {
    const int before = shuffle(value, lane >= step ? lane - step : lane);
    value += lane >= step ? before : 0;
  }
  return value;
}

// Replaces values[count] by the sums of those in front of each; returns the sum of all. One warp.
__device__ int scan_exclusive(std::int32_t* values, std::int64_t count) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  int before = 0;
  for (std::int64_t base = 0; base < count; base += warp_size) {
    const bool there = base + lane < count;
    const int own = there ? values[base + lane] : 0;
    const int sum = warp_scan(own);
    if (there) values[base + lane] = before + sum - own;
    before += shuffle(sum, warp_size - 1);
  }
  return before;
}

// One block. offsets[experts + 1]: where each expert's copies begin, and the end.
__global__ void __launch_bounds__(scan_threads) scan_counts(std::int32_t* offsets, Copies p) {
  constexpr int warps = scan_threads / warp_size;
  const int warp = static_cast<int>(threadIdx.x) / warp_size;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  for (int expert = warp; expert < p.experts; expert += warps) {
    const int total = scan_exclusive(p.counts + expert * p.chunks, p.chunks);
    if (lane == 0) offsets[expert] = total;
  }
  __syncthreads();
  if (warp != 0) return;
  const int all = scan_exclusive(offsets, p.experts);
  if (lane == 0) offsets[p.experts] = all;
}

// The lanes whose value is that of this one, of those that are `there`.
__device__ std::uint64_t lanes_alike(int value, int bits, bool there) {
  std::uint64_t alike = ballot(there);
  for (int bit = 0; bit < bits; ++bit) {
    const bool set = value >> bit & 1;
    const std::uint64_t with = ballot(set);
    alike &= set ? with : ~with;
  }
  return alike;
}

// place[copy]: its row of y. A block is the one warp of a chunk, the only one that changes its counts.
__global__ void __launch_bounds__(warp_size)
    find_places(std::int32_t* place, const std::int32_t* offsets, Copies p, int expert_bits) {
  const std::int64_t chunk = blockIdx.x, first = chunk * chunk_size;
  const int lane = static_cast<int>(threadIdx.x);
  for (std::int64_t base = first; base < first + chunk_size && base < p.count; base += warp_size) {
    const std::int64_t copy = base + lane;
    const bool there = copy < p.count;
    const int expert = there ? p.choice[copy] : 0;
    const std::uint64_t alike = lanes_alike(expert, expert_bits, there);
    const int before = __popcll(alike & ((std::uint64_t{1} << lane) - 1));
    int start = 0;  // of these lanes' copies within their expert
    if (there && before == 0)
      start = atomicAdd(p.counts + expert * p.chunks + chunk, __popcll(alike));
    start = shuffle(start, there ? __ffsll(static_cast<long long>(alike)) - 1 : lane);
    if (there) place[copy] = offsets[expert] + start + before;
  }
}

// y[place[row, c]] = x[row], of `units` units each
template <class Unit>
__global__ void __launch_bounds__(row_threads)
    write_copies(Unit* y, const Unit* x, const std::int32_t* place, std::int64_t rows,
                 std::int64_t units, int choices, int team_threads) {
  const Team team(team_threads);
  for (std::int64_t row = team.number; row < rows; row += team.count)
#pragma unroll 1
    for (std::int64_t i = team.rank; i < units; i += team.size) {
      const Unit value = x[row * units + i];
#pragma unroll 1
      for (int c = 0; c < choices; ++c) y[place[row * choices + c] * units + i] = value;
    }
}

void enqueue_sort(const GpuDevice& device, const Copies& copies, std::int32_t* place,
                  std::int32_t* offsets) {
  int expert_bits = 0;
  while ((copies.experts - 1) >> expert_bits > 0) ++expert_bits;
  const StreamHandle stream = device.stream();
  launch(count_copies, {.blocks = copies.chunks, .threads = count_threads}, stream, copies);
  launch(scan_counts, {.threads = scan_threads}, stream, offsets, copies);
  launch(find_places, {.blocks = copies.chunks, .threads = warp_size}, stream, place, offsets,
         copies, expert_bits);
}

void enqueue_permute(const GpuDevice& device, const Layer& p, const Arguments& arguments,
                     std::int32_t* counts, std::int64_t chunks) {
  auto* const place = arguments.get<std::int32_t>("place");
  const Copies copies = {arguments.get<std::int32_t>("choice"), p.rows * p.choices, counts, chunks,
                         static_cast<int>(p.entries)};
  enqueue_sort(device, copies, place, arguments.get<std::int32_t>("offsets"));
  with_row_unit(p, [&]<class Unit>(Unit) {
    const std::int64_t units = row_units<Unit>(p);
    const RowGrid rows = row_grid(device, p.rows, units, row_threads);
    launch(write_copies<Unit>, rows.grid, device.stream(), arguments.get<Unit>("y"),
           arguments.get<Unit>("x"), place, p.rows, units, static_cast<int>(p.choices), rows.team);
  });
}

std::unique_ptr<Run> prepare_permute(GpuDevice& device, const Layer& p, const Inputs& inputs) {
  const std::int64_t chunks = (p.rows * p.choices + chunk_size - 1) / chunk_size;
  (void)device.stream();  // selects the device that the memory below belongs to
  const auto counts =
      std::make_shared<Buffer<std::int32_t>>(static_cast<std::size_t>(p.entries * chunks));
  return make_run(device, p, inputs, [=, &device](const Arguments& arguments) {
    enqueue_permute(device, p, arguments, counts->data(), chunks);
  });
}

}  // namespace

std::span<const Kernel> permute_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports_move<LayerOp::permute>, prepare_permute>("counting_sort", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::gpu
