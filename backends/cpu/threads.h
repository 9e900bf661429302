// SPDX-License-Identifier: Apache-2.0
// The OpenMP team that every kernel of the CPU runs on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace steelyard::cpu {

// Starts the team and binds its threads to one CPU each. The calling thread stays free: it settles
// on the CPU that is left, and threads that libraries start later do not inherit a mask of one CPU.
// Done when a Run is made, not around each window: threads that have just left a parallel region
// wait for the next one by spinning, and a library with threads of its own would share its CPUs
// with them.
void pin_team();

// The CPUs of the team, one per core: those that usable_cpus() found at first use.
const std::vector<int>& team_cpus();

// How many pieces of `size` cover `count`.
constexpr std::int64_t divide_up(std::int64_t count, std::int64_t size) {
  return (count + size - 1) / size;
}

// Moving fewer bytes takes no longer than waking a team.
inline constexpr std::int64_t bytes_worth_dividing = 1 << 18;

// Each thread of the team copies, fills (with the bytes of a word, repeated) or reads one
// contiguous piece.
void parallel_copy(void* to, const void* from, std::int64_t bytes);
void parallel_fill(void* to, std::uint64_t word, std::int64_t bytes);
void parallel_read(const void* from, std::int64_t bytes);

// A number that changes, in all likelihood, with any byte.
std::uint64_t parallel_checksum(const void* from, std::int64_t bytes);

}  // namespace steelyard::cpu
