// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/arena.h"

#include <algorithm>

namespace steelyard::gpu {
namespace {

constexpr int threads = 256;
constexpr std::int64_t most_blocks =
    4096;  // enough for every device; the loops stride over the rest

__device__ std::int64_t first_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ std::int64_t stride() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

Grid grid_for(std::int64_t items) {
  const std::int64_t blocks = (items + threads - 1) / threads;
  return {.blocks = std::clamp<std::int64_t>(blocks, 1, most_blocks), .threads = threads};
}

// Guard bands begin at any byte, so the word is written byte by byte there.
__global__ void fill_bytes(std::uint8_t* to, std::uint64_t word, std::int64_t bytes) {
  for (std::int64_t i = first_index(); i < bytes; i += stride())
    to[i] = static_cast<std::uint8_t>(word >> i % 8 * 8);
}

__global__ void fill_words(std::uint64_t* to, std::uint64_t word, std::int64_t words) {
  for (std::int64_t i = first_index(); i < words; i += stride()) to[i] = word;
}

// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators;
// OOPSLA 2014).
__device__ std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// The sum of mix(word, its place): the order of addition does not matter.
__global__ void checksum_words(unsigned long long* sum, const std::uint64_t* from,
                               std::int64_t bytes) {
  const std::int64_t words = bytes / 8;
  std::uint64_t total = 0;
  for (std::int64_t i = first_index(); i < words; i += stride())
    total += mix(from[i] + mix(static_cast<std::uint64_t>(i)));
  if (first_index() == 0) {
    std::uint64_t rest = 0;
    const auto* tail = reinterpret_cast<const std::uint8_t*>(from + words);
    for (std::int64_t i = 0; i < bytes % 8; ++i)
      rest |= static_cast<std::uint64_t>(tail[i]) << 8 * i;
    total += mix(rest + mix(static_cast<std::uint64_t>(words)));
  }
  atomicAdd(sum, static_cast<unsigned long long>(total));
}

}  // namespace

void enqueue_checksum(std::uint64_t* sum, const std::byte* from, std::int64_t bytes,
                      StreamHandle stream) {
  launch(checksum_words, grid_for(bytes / 8), stream, reinterpret_cast<unsigned long long*>(sum),
         reinterpret_cast<const std::uint64_t*>(from), bytes);
}

DeviceArena::DeviceArena(const GpuDevice& device) : device_(device) {
  (void)device_.stream();  // selects the device that the memory below belongs to
  sum_ = Buffer<std::uint64_t>(1);
}

std::byte* DeviceArena::allocate(const Operand&, std::int64_t bytes) {
  (void)device_.stream();
  return tensors_.emplace_back(static_cast<std::size_t>(bytes)).data();
}

void DeviceArena::upload(std::byte* to, const std::byte* from, std::int64_t bytes) {
  const StreamHandle stream = device_.stream();
  check(copy(to, from, static_cast<std::size_t>(bytes), stream));
  check(wait(stream));
}

void DeviceArena::download(std::byte* to, const std::byte* from, std::int64_t bytes) {
  upload(to, from, bytes);  // the direction is in the addresses
}

void DeviceArena::fill(std::byte* to, std::uint64_t word, std::int64_t bytes) {
  const StreamHandle stream = device_.stream();
  const bool whole_words = reinterpret_cast<std::uintptr_t>(to) % 8 == 0 && bytes % 8 == 0;
  if (whole_words)
    launch(fill_words, grid_for(bytes / 8), stream, reinterpret_cast<std::uint64_t*>(to), word,
           bytes / 8);
  else
    launch(fill_bytes, grid_for(bytes), stream, reinterpret_cast<std::uint8_t*>(to), word, bytes);
  check(wait(stream));
}

std::uint64_t DeviceArena::checksum(const std::byte* from, std::int64_t bytes) {
  const StreamHandle stream = device_.stream();
  fill(reinterpret_cast<std::byte*>(sum_.data()), 0, sizeof(std::uint64_t));
  enqueue_checksum(sum_.data(), from, bytes, stream);
  std::uint64_t sum = 0;
  check(copy(&sum, sum_.data(), sizeof sum, stream));
  check(wait(stream));
  return sum;
}

}  // namespace steelyard::gpu
