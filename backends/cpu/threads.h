// SPDX-License-Identifier: Apache-2.0
// The OpenMP team that every kernel of the CPU runs on.
#pragma once

#include <sched.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace steelyard::cpu {

// While it lives, the calling thread and its team are bound to one CPU each. The team stays so; the
// calling thread then gets its old mask back, or its children and the threads that libraries start
// would inherit a mask of one CPU.
class PinnedTeam {
 public:
  PinnedTeam();
  ~PinnedTeam();
  PinnedTeam(const PinnedTeam&) = delete;
  PinnedTeam& operator=(const PinnedTeam&) = delete;

 private:
  cpu_set_t before_;
};

// The CPUs of the team, one per core: those usable_cpus() found when the program started using
// them.
const std::vector<int>& team_cpus();

// Each thread of the team copies, fills (with the bytes of a word, repeated) or reads one
// contiguous piece.
void parallel_copy(void* to, const void* from, std::int64_t bytes);
void parallel_fill(void* to, std::uint64_t word, std::int64_t bytes);
void parallel_read(const void* from, std::int64_t bytes);

// A number that changes, in all likelihood, with any byte.
std::uint64_t parallel_checksum(const void* from, std::int64_t bytes);

}  // namespace steelyard::cpu
