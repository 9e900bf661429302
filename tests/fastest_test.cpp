// SPDX-License-Identifier: Apache-2.0
#include "bench/fastest.h"

#include <array>

#include "tests/catch.h"
#include "tests/scripted_device.h"

using namespace steelyard;

namespace {

constexpr int broken = 2;           // the kernel that cannot be prepared
int prepared = 0;                   // the kernel that is launched
std::array<int, 4> preparations{};  // of each kernel

template <int number>
std::unique_ptr<Run> prepare(Device&, const Problem&, const Inputs&) {
  prepared = number;
  ++preparations[number];
  if (number == broken) throw std::runtime_error("broken");
  return std::make_unique<CountingRun>(1);
}

const std::vector<Kernel> kernels = {{.name = "first", .prepare = prepare<0>},
                                     {.name = "second", .prepare = prepare<1>},
                                     {.name = "broken", .prepare = prepare<broken>},
                                     {.name = "third", .prepare = prepare<3>}};

// A device on which launch `n` of kernel `k` takes seconds[k][n]: the first one warm, then cold ones. What
// is known of a problem stays known: each contest is on one of its own.
struct Contest {
  using Seconds = std::array<std::vector<double>, 4>;

  explicit Contest(Seconds taken) : seconds(std::move(taken)) {
    static std::int64_t elements = 1024;
    problem = Memory{MemoryOp::read, DType::f32, elements += 1024};
  }

  std::string_view winner() { return fastest(device, problem, kernels).name; }

  Seconds seconds;
  Problem problem;
  std::array<int, 4> launches = {};
  ScriptedDevice device{[this](int) { return seconds.at(prepared).at(launches.at(prepared)++); },
                        {.backend = "scripted",
                         .name = "Scripted",
                         .memory_bytes = 1 << 30,
                         .last_level_cache_bytes = 1000}};
};

}  // namespace

TEST_CASE("the least of the cold launches decides, not the first launch") {
  Contest contest({{{5, 3, 1.5, 3}, {1, 2, 2, 2}, {}, {2.5, 2, 2.2, 2}}});
  CHECK(contest.winner() == "first");
  CHECK(contest.launches == std::array{4, 4, 0, 4});
}

TEST_CASE("caches are flushed before every launch but the first") {
  Contest contest({{{1, 1, 1, 1}, {4, 2, 2, 2}, {}, {4, 2, 2, 2}}});
  contest.winner();
  std::vector<std::int64_t> flushed;
  for (const Window& window : contest.device.windows) flushed.push_back(window.flush_bytes);
  CHECK(flushed ==
        std::vector<std::int64_t>{0, 3000, 3000, 3000, 0, 3000, 3000, 3000, 0, 3000, 3000, 3000});
}

TEST_CASE("a kernel is given up where one launch takes far longer than a rival's") {
  Contest contest({{{1, 1, 1, 1}, {4.1}, {}, {3.9, 2, 2.1}}});
  CHECK(contest.winner() == "first");
  CHECK(contest.launches == std::array{4, 1, 0, 3});
}

TEST_CASE("a slow kernel is launched as often as others while it has no rival") {
  Contest contest({{{9, 8, 7, 8}, {9, 1, 1, 1}, {}, {1, 3}}});
  CHECK(contest.winner() == "second");
  CHECK(contest.launches == std::array{4, 4, 0, 2});
}

TEST_CASE("what was measured is known, a kernel that failed included") {
  Contest contest({{{2, 2, 2, 2}, {1, 1, 1, 1}, {}, {2, 2, 2, 2}}});
  CHECK(contest.winner() == "second");
  const auto before = preparations;
  const std::size_t windows = contest.device.windows.size();
  CHECK(contest.winner() == "second");
  CHECK(preparations == before);
  CHECK(contest.device.windows.size() == windows);
}

TEST_CASE("nothing is timed for a single kernel or on an emulated device") {
  ScriptedDevice emulated([](int) { return 1.0; }, {.backend = "scripted", .emulated = true});
  const Problem problem = Memory{MemoryOp::read, DType::f32, 512};
  CHECK(fastest(emulated, problem, kernels).name == "first");
  ScriptedDevice other([](int) { return 1.0; });
  CHECK(fastest(other, problem, {kernels[1]}).name == "second");
  CHECK(emulated.windows.empty());
  CHECK(other.windows.empty());
}

TEST_CASE("a lost device ends the choice") {
  ScriptedDevice device([](int) -> double { throw DeviceLost("gone"); });
  const Problem problem = Memory{MemoryOp::read, DType::f32, 256};
  CHECK_THROWS_AS(fastest(device, problem, kernels), DeviceLost);
}
