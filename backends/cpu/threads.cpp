// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/threads.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cstring>

#include "backends/cpu/machine.h"

namespace steelyard::cpu {
namespace {

// Calls f(first byte, number of bytes) once per page-sized piece or larger, one piece per thread.
template <class F>
void for_each_piece(std::int64_t bytes, F f) {
  constexpr std::int64_t page = 4096;
#pragma omp parallel if (bytes >= bytes_worth_dividing)
  {
    const std::int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
    const std::int64_t piece = ((bytes + threads - 1) / threads + page - 1) / page * page;
    const std::int64_t begin = std::min(bytes, thread * piece),
                       end = std::min(bytes, begin + piece);
    if (begin < end) f(begin, end - begin);
  }
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;  // 2^64 divided by the golden ratio
  return hash ^ (hash >> 29);
}

std::uint64_t checksum(const std::byte* from, std::int64_t bytes, std::uint64_t seed) {
  std::uint64_t hash = seed, word = 0;
  for (; bytes >= 8; from += 8, bytes -= 8) {
    std::memcpy(&word, from, 8);
    hash = mix(hash, word);
  }
  word = 0;
  std::memcpy(&word, from, static_cast<std::size_t>(bytes));
  return mix(hash, word);
}

void pin(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
}

}  // namespace

const std::vector<int>& team_cpus() {
  static const std::vector<int> cpus = usable_cpus();
  return cpus;
}

void pin_team() {
  const std::vector<int>& cpus = team_cpus();
  omp_set_dynamic(0);
  omp_set_num_threads(static_cast<int>(cpus.size()));
#pragma omp parallel
  if (const int thread = omp_get_thread_num(); thread > 0)
    pin(cpus[static_cast<std::size_t>(thread)]);
}

void parallel_copy(void* to, const void* from, std::int64_t bytes) {
  for_each_piece(bytes, [=](std::int64_t begin, std::int64_t count) {
    std::memcpy(static_cast<std::byte*>(to) + begin, static_cast<const std::byte*>(from) + begin,
                static_cast<std::size_t>(count));
  });
}

void parallel_fill(void* to, std::uint64_t word, std::int64_t bytes) {
  for_each_piece(bytes, [=](std::int64_t begin, std::int64_t count) {
    std::byte* piece = static_cast<std::byte*>(to) + begin;
    for (std::int64_t i = 0; i < count; i += 8)
      std::memcpy(piece + i, &word, static_cast<std::size_t>(std::min<std::int64_t>(8, count - i)));
  });
}

std::uint64_t parallel_checksum(const void* from, std::int64_t bytes) {
  std::uint64_t sum = 0;
#pragma omp parallel for reduction(+ : sum) if (bytes >= bytes_worth_dividing)
  for (std::int64_t begin = 0; begin < bytes; begin += 1 << 20)
    sum +=
        checksum(static_cast<const std::byte*>(from) + begin,
                 std::min<std::int64_t>(1 << 20, bytes - begin), static_cast<std::uint64_t>(begin));
  return sum;
}

// One load per cache line fetches the line.
void parallel_read(const void* from, std::int64_t bytes) {
  for_each_piece(bytes, [=](std::int64_t begin, std::int64_t count) {
    const auto* line = static_cast<const volatile std::byte*>(from) + begin;
    for (std::int64_t i = 0; i < count; i += 64) static_cast<void>(line[i]);
  });
}

}  // namespace steelyard::cpu
