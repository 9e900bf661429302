// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/choose_algorithm.h"

#include "tests/catch.h"
#include "tests/scripted_device.h"

using namespace steelyard;
using gpu::choose_fastest;

namespace {

// Algorithms that take so many seconds each; 0: one that cannot be launched.
struct Contest {
  explicit Contest(std::vector<double> taken) : seconds(std::move(taken)) {}

  gpu::Choice hold() {
    return choose_fastest(device, run, seconds.size(), [&](std::size_t i) { used = i; });
  }

  std::vector<double> seconds;
  std::size_t used = 99;
  ScriptedDevice device{[this](int) {
    if (seconds[used] == 0) throw std::runtime_error("broken");
    return seconds[used];
  }};
  CountingRun run{2};
};

}  // namespace

TEST_CASE("The fastest algorithm is chosen and left in use") {
  Contest contest({3e-3, 1e-3, 2e-3});
  const gpu::Choice choice = contest.hold();
  CHECK(choice.fastest == 1);
  CHECK(choice.failed == 0);
  CHECK(contest.used == 1);
}

TEST_CASE("An algorithm that fails takes no further part") {
  Contest contest({0, 2e-3, 0, 1e-3});
  const gpu::Choice choice = contest.hold();
  CHECK(choice.fastest == 3);
  CHECK(choice.failed == 2);
  CHECK(choice.first_failure == "broken");
}

TEST_CASE("Short launches are timed many at a time") {
  Contest contest({1e-5, 2e-5});
  contest.hold();
  CHECK(contest.device.windows.back().launches == 64);
  Contest slow({1e-2, 2e-2});
  slow.hold();
  CHECK(slow.device.windows.back().launches == 1);
}

TEST_CASE("Where every algorithm fails there is no choice") {
  Contest contest({0, 0});
  CHECK_THROWS_WITH(contest.hold(), "every algorithm failed; the first: broken");
}

TEST_CASE("A lost device ends the contest") {
  CountingRun run(1);
  ScriptedDevice device([](int) -> double { throw DeviceLost("gone"); });
  CHECK_THROWS_AS(choose_fastest(device, run, 2, [](std::size_t) {}), DeviceLost);
}
