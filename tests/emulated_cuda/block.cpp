// SPDX-License-Identifier: Apache-2.0
#include "tests/emulated_cuda/block.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tests/emulated_cuda/emulation.h"
#include "tests/emulated_cuda/races.h"
#include "tests/emulated_cuda/shared_memory.h"
#include "tests/emulated_cuda/symbols.h"

namespace emulated_cuda {
namespace {

struct Warp {
  std::uint32_t ready = 0;    // lanes that can go on
  std::uint32_t meeting = 0;  // lanes that wait for others of the warp
};

const Launch* launch = nullptr;
std::vector<Thread> threads(most_fibers);
std::vector<Warp> warps(most_fibers / lanes_per_warp);
unsigned thread_count = 0, living = 0, at_barrier = 0;
Fiber host;
std::optional<std::string> failure;

Warp& warp_of(const Thread& thread) {
  return warps[thread.rank / lanes_per_warp];
}
unsigned lane_of(const Thread& thread) {
  return thread.rank % lanes_per_warp;
}
std::uint32_t bit_of(const Thread& thread) {
  return std::uint32_t{1} << lane_of(thread);
}
std::uint32_t all_lanes(unsigned warp) {
  const unsigned lanes = std::min(thread_count - warp * lanes_per_warp, lanes_per_warp);
  return static_cast<std::uint32_t>((std::uint64_t{1} << lanes) - 1);
}
unsigned warp_count() {
  return (thread_count + lanes_per_warp - 1) / lanes_per_warp;
}

// The next lane of `ready` after `lane`, in the order of the day and around the end.
unsigned next_lane(std::uint32_t ready, unsigned lane) {
  if (reverse_order) {
    const std::uint32_t below = ready & ((std::uint32_t{1} << lane) - 1);
    return 31 - static_cast<unsigned>(std::countl_zero(below ? below : ready));
  }
  const std::uint32_t above = ready & (~std::uint32_t{1} << lane);
  return static_cast<unsigned>(std::countr_zero(above ? above : ready));
}

// The thread to go on with, its warp's before others; null if none can.
Thread* next_ready() {
  const unsigned count = warp_count(), step = reverse_order ? count - 1 : 1;
  unsigned warp = here->rank / lanes_per_warp, lane = lane_of(*here);
  for (unsigned i = 0; i < count; ++i) {
    if (const std::uint32_t ready = warps[warp].ready; ready != 0)
      return &threads[warp * lanes_per_warp + next_lane(ready, lane)];
    warp = (warp + step) % count;
    lane = reverse_order ? 0 : 31;  // from a warp's first lane on
  }
  return nullptr;
}

void go_on_with(Thread& next) {
  Thread& previous = *here;
  if (&next == &previous) return;
  here = &next;
  threadIdx = next.index;
  switch_fiber(previous.fiber, next.fiber);
}

std::string text(const uint3& index) {
  return fmt::format("({},{},{})", index.x, index.y, index.z);
}
std::string text(const Thread& thread) {
  if (thread.ended) return fmt::format("thread {} has ended", text(thread.index));
  if (!thread.meeting) return fmt::format("thread {} has not arrived", text(thread.index));
  const std::source_location& at = thread.meeting->at;
  return fmt::format("thread {} waits at {} ({}:{})", text(thread.index), thread.meeting->name,
                     at.file_name(), at.line());
}

bool same_place(const Meeting& a, const Meeting& b) {
  return a.at.line() == b.at.line() && a.at.column() == b.at.column() &&
         std::strcmp(a.at.file_name(), b.at.file_name()) == 0;
}
bool same(const Meeting& a, const Meeting& b) {
  return a.mask == b.mask && a.perform == b.perform && std::strcmp(a.name, b.name) == 0;
}

bool expects(const Thread& waiting, const Thread& other) {
  const bool same_warp = &warp_of(waiting) == &warp_of(other);
  return waiting.meeting->mask == 0 || (same_warp && (waiting.meeting->mask & bit_of(other)));
}
bool meets(const Thread& waiting, const Thread& other) {
  const Meeting& meeting = *waiting.meeting;
  return other.meeting && same(meeting, *other.meeting) &&
         (meeting.mask != 0 || same_place(meeting, *other.meeting));
}

// No thread can go on: names one that waits, and one that it waits for in vain.
[[noreturn]] void deadlock() {
  for (unsigned i = 0; i < thread_count; ++i) {
    if (!threads[i].meeting) continue;
    for (unsigned j = 0; j < thread_count; ++j) {
      if (!expects(threads[i], threads[j]) || meets(threads[i], threads[j])) continue;
      std::string message = fmt::format("{}, but {}", text(threads[i]), text(threads[j]));
      fault(std::move(message));
    }
  }
  fault("no thread can go on");
}

void wait_for_others() {
  Thread* next = next_ready();
  if (!next) deadlock();
  go_on_with(*next);
}

void meet_block(const Meeting& meeting) {
  warp_of(*here).ready &= ~bit_of(*here);
  if (++at_barrier < thread_count) return wait_for_others();
  for (unsigned i = 0; i < thread_count; ++i)
    if (!same_place(meeting, *threads[i].meeting)) deadlock();
  at_barrier = 0;
  order_block();
  for (unsigned warp = 0; warp < warp_count(); ++warp) warps[warp].ready = all_lanes(warp);
}

bool all_there(const Meeting& meeting) {
  const Warp& warp = warp_of(*here);
  if ((warp.meeting & meeting.mask) != meeting.mask) return false;
  const Thread* lanes = here - lane_of(*here);
  for (std::uint32_t rest = meeting.mask; rest != 0; rest &= rest - 1)
    if (!same(meeting, *lanes[std::countr_zero(rest)].meeting)) return false;
  return true;
}

void meet_warp(const Meeting& meeting) {
  if (!(meeting.mask & bit_of(*here)))
    fault(fmt::format("thread {} is not in the mask {:#x} of its own {}", text(here->index),
                      meeting.mask, meeting.name));
  if (meeting.mask & ~all_lanes(here->rank / lanes_per_warp))
    fault(fmt::format("the mask {:#x} of {} names lanes that the block does not have", meeting.mask,
                      meeting.name));
  Warp& warp = warp_of(*here);
  warp.ready &= ~bit_of(*here);
  warp.meeting |= bit_of(*here);
  if (!all_there(meeting)) return wait_for_others();
  const Thread* lanes = here - lane_of(*here);
  Operands operands{};
  for (std::uint32_t rest = meeting.mask; rest != 0; rest &= rest - 1)
    operands[std::countr_zero(rest)] = lanes[std::countr_zero(rest)].meeting->operand;
  if (meeting.perform) meeting.perform(operands);
  const unsigned number = here->rank / lanes_per_warp;
  if (meeting.orders_memory && meeting.mask == all_lanes(number)) order_warp(number);
  warp.meeting &= ~meeting.mask;
  warp.ready |= meeting.mask;
}

// What a fiber does all its life: the part of one thread in block after block.
void thread_main() {
  begin_fiber();
  for (;;) {
    launch->body();
    here->ended = true;
    warp_of(*here).ready &= ~bit_of(*here);
    if (--living == 0)
      switch_fiber(here->fiber, host);
    else
      wait_for_others();
  }
}

// `thread_count` threads at their beginning.
void reset_threads() {
  living = thread_count;
  at_barrier = 0;
  for (unsigned i = 0; i < thread_count; ++i) {
    Thread& thread = threads[i];
    thread.index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
    thread.rank = i;
    thread.meeting = nullptr;
    thread.ended = false;
    thread.copies.clear();
    thread.committed_groups = 0;
    if (!thread.fiber.stack) thread.fiber = make_fiber(static_cast<int>(i), thread_main);
  }
  for (unsigned warp = 0; warp < warp_count(); ++warp) warps[warp] = {.ready = all_lanes(warp)};
}

void run_block(std::uint64_t number) {
  blockIdx = {static_cast<unsigned>(number % gridDim.x),
              static_cast<unsigned>(number / gridDim.x % gridDim.y),
              static_cast<unsigned>(number / gridDim.x / gridDim.y)};
  reset_threads();
  order_block();
  prepare_shared_memory(launch->shared_bytes);
  here = &threads[reverse_order ? thread_count - 1 : 0];
  threadIdx = here->index;
  switch_fiber(host, here->fiber);
  if (!failure && !dynamic_shared_memory_is_intact(launch->shared_bytes))
    failure = fmt::format("kernel {}, block {}: wrote behind its {} bytes of dynamic shared memory",
                          function_name(launch->kernel), text(blockIdx), launch->shared_bytes);
}

}  // namespace

void meet(const Meeting& meeting) {
  here->meeting = &meeting;
  if (meeting.mask == 0)
    meet_block(meeting);
  else
    meet_warp(meeting);
  here->meeting = nullptr;
}

void yield() {
  go_on_with(*next_ready());
}

std::string thread_name(unsigned rank) {
  return text(threads[rank].index);
}

unsigned living_lanes() {
  const unsigned warp = here->rank / lanes_per_warp;
  unsigned living_mask = all_lanes(warp);
  for (unsigned lane = 0; lane < lanes_per_warp; ++lane)
    if ((living_mask >> lane & 1) && threads[warp * lanes_per_warp + lane].ended)
      living_mask &= ~(1u << lane);
  return living_mask;
}

void fault(std::string message) {
  failure = fmt::format("kernel {}, block {}: {}", function_name(launch->kernel), text(blockIdx),
                        message);
  std::string().swap(message);  // what stays on this stack is never destroyed
  switch_fiber(here->fiber, host);
  __builtin_unreachable();
}

std::optional<std::string> run(const Launch& wanted) {
  launch = &wanted;
  host = host_fiber();
  failure.reset();
  gridDim = wanted.grid;
  blockDim = wanted.block;
  thread_count = blockDim.x * blockDim.y * blockDim.z;
  const std::uint64_t blocks = std::uint64_t{gridDim.x} * gridDim.y * gridDim.z;
  for (std::uint64_t i = 0; i < blocks && !failure; ++i)
    run_block(reverse_order ? blocks - 1 - i : i);
  if (failure)  // threads stand wherever they waited
    for (Thread& thread : threads) thread.fiber = {};
  here = nullptr;
  launch = nullptr;
  return std::exchange(failure, std::nullopt);
}

}  // namespace emulated_cuda
