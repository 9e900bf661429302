// SPDX-License-Identifier: Apache-2.0
// Runs the workgroups of a launch: each on one of the host's cores, its waves in turns, a wave until it
// ends, waits at a barrier, or has had its share of instructions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "tests/amd_emulator/launch.h"
#include "tests/amd_emulator/local_memory.h"
#include "tests/amd_emulator/memory.h"
#include "tests/amd_emulator/notes.h"
#include "tests/amd_emulator/start.h"
#include "tests/amd_emulator/targets.h"

namespace amd_emulator {
namespace {

// Of one turn of a wave. A wave that has had a turn is watched for going in circles.
constexpr std::uint64_t instructions_of_a_turn = 1 << 20;

// Registers and place of a wave: if it comes to the same place with the same registers, it will do so
// for ever, unless another wave changes what it reads.
class Snapshot {
 public:
  explicit Snapshot(const Wave& wave) : wave_(std::make_unique<Wave>(wave)) {}

  bool is_same(const Wave& wave) const {
    return wave.pc == wave_->pc && wave.scc == wave_->scc &&
           std::memcmp(wave.s, wave_->s, sizeof(wave.s)) == 0 &&
           std::memcmp(wave.v, wave_->v, sizeof(wave.v)) == 0;
  }

 private:
  std::unique_ptr<Wave> wave_;
};

class GroupRunner {
 public:
  GroupRunner(const Launch& launch, std::uint64_t arguments, bool reverse,
              std::uint32_t poison_bits)
      : launch_(launch),
        code_(*launch.kernel->code),
        start_(launch, arguments),
        waves_(new Wave[start_.waves()]),
        local_(launch.kernel->local_bytes + launch.dynamic_local_bytes),
        reverse_(reverse),
        poison_bits_(poison_bits) {
    group_.launch = &launch;
    group_.local = &local_;
    group_.counts = &counts;
    start_.give_scratch(group_);
  }

  // Throws Fault, with where it was.
  void run(Position id) {
    group_.id = id;
    local_.begin_workgroup();
    conflicts_.fill(0);
    for (unsigned i = 0; i < start_.waves(); ++i)
      start_.prepare(waves_[i], group_, i, poison_bits_);
    while (turn()) pass_barrier();
  }

  Counts counts;

 private:
  // Runs all waves to the barrier or the end. Whether any waits.
  bool turn() {
    unsigned waiting = 0, ended = 0;
    while (true) {
      bool in_circles = true;
      waiting = ended = 0;
      for (unsigned i = 0; i < start_.waves(); ++i) {
        Wave& wave = waves_[reverse_ ? start_.waves() - 1 - i : i];
        if (wave.stop == Stop::none) in_circles = run_wave(wave) && in_circles;
        waiting += wave.stop == Stop::barrier;
        ended += wave.stop == Stop::end;
      }
      if (waiting + ended == start_.waves()) break;
      if (in_circles)
        throw Fault(place() + ": it waits in a loop for what nobody is going to change");
    }
    if (waiting > 0 && ended > 0)
      throw Fault(
          fmt::format("{} of the {} waves of workgroup {} of {} wait at a barrier, and the "
                      "others have ended without it",
                      waiting, start_.waves(), position(), readable_name(*launch_.kernel)));
    return waiting > 0;
  }

  void pass_barrier() {
    local_.pass_barrier();
    for (unsigned i = 0; i < start_.waves(); ++i) waves_[i].stop = Stop::none;
  }

  // One turn. Whether the wave only goes in circles.
  bool run_wave(Wave& wave) {
    current_wave_ = &wave;
    if (run_instructions(wave)) return false;
    const Snapshot snapshot(wave);
    return !run_instructions(wave, &snapshot);
  }

  // Whether the wave got anywhere: to a stop, or through its instructions without meeting itself.
  bool run_instructions(Wave& wave, const Snapshot* snapshot = nullptr) {
    try {
      for (std::uint64_t left = instructions_of_a_turn; left > 0; --left) {
        const Instruction& it = fetch(wave.pc);
        current_ = &it;
        wave.pc += 4u * it.words;
        ++counts.instructions[static_cast<int>(it.kind)];
        if (counting_) [[unlikely]]
          execute_and_count(wave, it);
        else
          it.execute(wave, it);
        if (wave.stop != Stop::none) return true;
        if (snapshot != nullptr && snapshot->is_same(wave)) return false;
      }
    } catch (const Fault& fault) {
      throw Fault(fmt::format("{}: {}", place(), fault.what()));
    }
    return snapshot != nullptr;
  }

  const Instruction& fetch(std::uint64_t pc) {
    if (pc < code_.text_begin() || pc >= code_.text_end() || pc % 4 != 0) {
      current_ = nullptr;
      throw Fault(fmt::format("a branch leaves the program for {:#x}", pc));
    }
    const Instruction& it = code_.instructions()[(pc - code_.text_begin()) / 4];
    if (it.execute == nullptr) [[unlikely]]
      explain_absence(it, pc);
    return it;
  }
  // The function may not have been decoded yet.
  void explain_absence(const Instruction& it, std::uint64_t pc) {
    code_.prepare(pc);
    if (it.execute != nullptr) return;
    current_ = &it;
    throw Fault("this instruction is not emulated");
  }

  void execute_and_count(Wave& wave, const Instruction& it) {
    if (it.name != last_counted_) counts.mnemonics.insert(last_counted_ = it.name);
    if (it.kind == Kind::vector) {
      counts.lane_slots += lanes;
      counts.active_lanes += static_cast<std::uint64_t>(std::popcount(wave.exec));
    }
    const std::uint64_t before = counts.local_conflicts;
    it.execute(wave, it);
    std::uint64_t& since_matrix = conflicts_[wave.index];
    if (const std::uint64_t added = counts.local_conflicts - before; added > 0) {
      since_matrix += added;
      counts.conflicts_at[&it] += added;
    }
    if (it.kind == Kind::matrix) counts.loop_conflicts += std::exchange(since_matrix, 0);
  }

  std::string position() const {
    return fmt::format("({}, {}, {})", group_.id.x, group_.id.y, group_.id.z);
  }
  std::string place() const {
    const std::string instruction = current_ == nullptr
                                        ? ""
                                        : fmt::format(", at {:#x}: {}", current_->address,
                                                      disassemble(code_.target(), *current_));
    return fmt::format("{} workgroup {} wave {}{}", readable_name(*launch_.kernel), position(),
                       current_wave_->index, instruction);
  }

  const Launch& launch_;
  CodeObject& code_;
  Start start_;
  std::unique_ptr<Wave[]> waves_;
  LocalMemory local_;
  Workgroup group_ = {};
  bool reverse_;
  std::uint32_t poison_bits_;
  const bool counting_ = counting();  // asked for every instruction
  const Wave* current_wave_ = nullptr;
  const Instruction* current_ = nullptr;
  const char* last_counted_ = nullptr;
  std::array<std::uint64_t, most_threads_per_workgroup / lanes> conflicts_ = {};  // by wave
};

// All workgroups once, in one order.
class Run {
 public:
  Run(const Launch& launch, std::uint64_t arguments, bool reverse, std::uint32_t poison_bits)
      : launch_(launch),
        arguments_(arguments),
        reverse_(reverse),
        poison_bits_(poison_bits),
        total_(std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z) {}

  Counts finish() {
    const std::uint64_t cores = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::thread> threads;
    for (std::uint64_t i = 1; i < std::min(cores, total_); ++i)
      threads.emplace_back([this] { work(); });
    work();
    for (std::thread& thread : threads) thread.join();
    if (!fault_.empty()) throw Fault(fault_);
    return counts_;
  }

 private:
  void work() {
    try {
      GroupRunner runner(launch_, arguments_, reverse_, poison_bits_);
      for (std::uint64_t i; (i = next_++) < total_;)
        runner.run(position(reverse_ ? total_ - 1 - i : i));
      hand_in_notes();
      const std::lock_guard lock(mutex_);
      counts_.add(runner.counts);
    } catch (const std::exception& fault) {
      next_ = total_;  // the others end after the workgroup that they are at
      const std::lock_guard lock(mutex_);
      if (fault_.empty()) fault_ = fault.what();
    }
  }

  Position position(std::uint64_t number) const {
    const std::uint64_t x = launch_.grid.x, y = launch_.grid.y;
    return {static_cast<unsigned>(number % x), static_cast<unsigned>(number / x % y),
            static_cast<unsigned>(number / x / y)};
  }

  const Launch& launch_;
  std::uint64_t arguments_;
  bool reverse_;
  std::uint32_t poison_bits_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> next_ = 0;
  std::mutex mutex_;
  Counts counts_;
  std::string fault_;
};

// Device memory with the launch's arguments.
class ArgumentMemory {
 public:
  explicit ArgumentMemory(const std::vector<std::byte>& arguments)
      : address_(allocate(std::max<std::size_t>(arguments.size(), 64))) {
    if (address_ == 0) throw Fault("no memory is left for the arguments of a kernel");
    std::memcpy(host_view(address_, arguments.size()), arguments.data(), arguments.size());
  }
  ~ArgumentMemory() { (void)release(address_); }
  ArgumentMemory(const ArgumentMemory&) = delete;
  ArgumentMemory& operator=(const ArgumentMemory&) = delete;

  std::uint64_t address() const { return address_; }

 private:
  std::uint64_t address_;
};

enum class Order : std::uint8_t { forward, reverse, both };

Order order() {
  static const Order chosen = [] {
    const char* text = std::getenv("STEELYARD_EMULATE_ORDER");
    const std::string_view name = text == nullptr ? "forward" : text;
    if (name == "forward") return Order::forward;
    if (name == "reverse") return Order::reverse;
    if (name == "both") return Order::both;
    throw Fault(fmt::format("STEELYARD_EMULATE_ORDER={}: forward, reverse or both", name));
  }();
  return chosen;
}

// What registers hold that nobody has written: in the second run other bits than in the first.
constexpr std::uint32_t first_poison = 0xffffffff, second_poison = 0x7ff7fff7;

// From where the first run began, in the opposite order.
void run_again_and_compare(const Launch& launch, std::uint64_t arguments) {
  rewind_journal();
  (void)Run(launch, arguments, true, second_poison).finish();
  if (const std::string difference = compare_with_journal(); !difference.empty())
    throw Fault(fmt::format("{}: {}", readable_name(*launch.kernel), difference));
}

}  // namespace

void execute(const Launch& launch) {
  const ArgumentMemory arguments(launch.arguments);
  launch.kernel->code->prepare(launch.kernel->entry);
  if (counting()) begin_counting_lines();
  if (order() == Order::both) begin_journal();
  Counts counts =
      Run(launch, arguments.address(), order() == Order::reverse, first_poison).finish();
  if (counting()) {
    disregard(arguments.address());
    const TouchedBytes touched = end_counting_lines();
    counts.bytes_read = touched.read;
    counts.bytes_written = touched.written;
    write_counts(launch, counts);
  }
  if (order() == Order::both) run_again_and_compare(launch, arguments.address());
}

}  // namespace amd_emulator
