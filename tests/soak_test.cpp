// SPDX-License-Identifier: Apache-2.0
#include "bench/soak.h"

#include <cmath>

#include "tests/catch.h"
#include "tests/scripted_device.h"

namespace steelyard {
namespace {

bool soaks(ScriptedDevice& device) {
  CountingRun run(1);
  const Plan plan = {.now = [&] { return device.now; }};
  Monitor monitor({&device}, plan.now);
  return soak(device, run, plan, monitor);
}

TEST_CASE("soaking ends after 3 s on a steady device") {
  ScriptedDevice device([](int) { return 10e-3; });
  CHECK(soaks(device));
  CHECK(device.now == Approx(3).margin(0.1));
}

TEST_CASE("soaking waits for times, clock and temperature, whichever settles last") {
  const auto what = GENERATE(std::string("time"), std::string("clock"), std::string("temperature"));
  CAPTURE(what);
  // Falls by 3 % a second for 12 s.
  const auto falling = [](double now) { return 1 - 0.03 * std::min(now, 12.0); };
  ScriptedDevice device([&](int) { return 10e-3 / (what == "time" ? falling(device.now) : 1); });
  device.sensors = [&](double now) {
    return Telemetry{.clock_hz = 1.8e9 * (what == "clock" ? falling(now) : 1),
                     .temperature_celsius = what == "temperature" ? 80 - 40 * falling(now) : 50};
  };
  CHECK(soaks(device));
  CHECK(device.now > 12);
  CHECK(device.now < 17);
}

TEST_CASE("a clock that jumps between two steps around a mean that stands takes longer to judge") {
  ScriptedDevice device([](int) { return 10e-3; });
  device.sensors = [](double now) {
    const bool up = std::fmod(now * 7.3, 1.0) < 0.5;
    return Telemetry{.clock_hz = up ? 1.98e9 : 1.965e9};
  };
  CHECK(soaks(device));
  CHECK(device.now > 3.1);
  CHECK(device.now < 15);
}

TEST_CASE("the clocks of all devices that work together have to stand still") {
  ScriptedDevice quiet([](int) { return 10e-3; });
  ScriptedDevice drifting([](int) { return 10e-3; });
  drifting.sensors = [&](double) { return Telemetry{.clock_hz = 1.8e9 - 20e6 * quiet.now}; };
  CountingRun run(1);
  const Plan plan = {.now = [&] { return quiet.now; }};
  Monitor monitor({&quiet, &drifting}, plan.now);
  CHECK_FALSE(soak(quiet, run, plan, monitor));
}

TEST_CASE("a device that never settles is soaked for 30 s, and it says so") {
  ScriptedDevice device([&](int) { return 10e-3 * (1 + 0.02 * device.now); });
  CHECK_FALSE(soaks(device));
  CHECK(device.now == Approx(30).margin(2));
}

}  // namespace
}  // namespace steelyard
