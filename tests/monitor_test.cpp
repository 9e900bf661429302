// SPDX-License-Identifier: Apache-2.0
// Clocks, power and energy of a row, from sensors that follow a script.
#include "bench/monitor.h"

#include "tests/catch.h"
#include "tests/scripted_device.h"

namespace steelyard {
namespace {

// Readings every quarter of a second for `seconds`, while each launch takes 10 ms.
std::vector<Reading> watch(double seconds, const std::function<Telemetry(double)>& sensors) {
  std::vector<Reading> readings;
  for (double at = 0; at <= seconds + 1e-9; at += 0.25)
    readings.push_back({.at_seconds = at,
                        .launches = static_cast<std::int64_t>(at / 10e-3 + 0.5),
                        .samples = readings.size(),
                        .sensors = sensors(at)});
  return readings;
}

// 300 W, rising by 100 W a second; the counter tells the same.
Telemetry rising(double at) {
  return {.clock_hz = 1.5e9 + 1e8 * at,
          .power_watts = 300 + 100 * at,
          .energy_joules = 1e6 + 300 * at + 50 * at * at};
}

TEST_CASE("energy of a launch is the counter's difference, and the integral of power agrees") {
  const Power power = power_of(watch(4, rising), "package", "");
  CHECK(power.valid);
  CHECK(power.reasons.empty());
  CHECK(power.scope == "package");
  CHECK(power.watts == Approx(500));
  CHECK(power.joules_by_counter == Approx(5.0));    // 2000 J in 400 launches
  CHECK(power.joules_by_trapezoid == Approx(5.0));  // exact for a straight line
  CHECK(power.joules_per_launch == power.joules_by_counter);
}

TEST_CASE("without a counter the integral stands") {
  const Power power = power_of(watch(4,
                                     [](double at) {
                                       Telemetry now = rising(at);
                                       now.energy_joules.reset();
                                       return now;
                                     }),
                               "package", "");
  CHECK(power.valid);
  CHECK_FALSE(power.joules_by_counter);
  CHECK(power.joules_per_launch == Approx(5.0));
}

TEST_CASE("energy that cannot be trusted says why") {
  const auto reasons = [](const Power& power) {
    CHECK_FALSE(power.valid);
    std::string all;
    for (const std::string& reason : power.reasons) all += reason + "; ";
    return all;
  };
  CHECK_THAT(reasons(power_of(watch(1, rising), "package", "")),
             ContainsSubstring("1.00 s") && ContainsSubstring("--energy"));
  CHECK_THAT(reasons(power_of(
                 watch(4, [](double) { return Telemetry{.power_watts = 300, .energy_joules = 7}; }),
                 "package", "")),
             ContainsSubstring("did not advance"));
  CHECK_THAT(reasons(power_of(watch(4,
                                    [](double at) {
                                      Telemetry now = rising(at);
                                      *now.power_watts *= 1.3;
                                      return now;
                                    }),
                              "package", "")),
             ContainsSubstring("differ"));
  const Power nothing = power_of(
      watch(4, [](double) { return Telemetry{.missing = "power: no permission"}; }), "gcd", "");
  CHECK_THAT(reasons(nothing), ContainsSubstring("no permission"));
  CHECK_FALSE(nothing.watts);
}

TEST_CASE("a die whose package has one sensor has no energy of its own") {
  const Power power = power_of(watch(4, rising), "gcd", "the package's other die");
  CHECK_FALSE(power.valid);
  CHECK(power.scope == "package");
  CHECK(power.watts == Approx(500));
  CHECK_THAT(power.reasons.at(0), ContainsSubstring("--together"));
}

TEST_CASE("the mean clock, its cycles and every throttle reason are of all readings") {
  const Clocks clocks = clocks_of(watch(4,
                                        [](double at) {
                                          Telemetry now = rising(at);
                                          now.temperature_celsius = 50 + at;
                                          if (at == 1) now.throttle_reasons = {"hot", "cap"};
                                          if (at == 2) now.throttle_reasons = {"cap"};
                                          return now;
                                        }),
                                  1e-3);
  CHECK(clocks.before_hz == 1.5e9);
  CHECK(clocks.after_hz == 1.9e9);
  CHECK(clocks.mean_hz == Approx(1.7e9));
  CHECK(clocks.cycles == Approx(1.7e6));
  CHECK(clocks.temperature_before_celsius == 50.0);
  CHECK(clocks.temperature_after_celsius == 54.0);
  CHECK(clocks.throttle_reasons == std::vector<std::string>{"hot", "cap"});
}

TEST_CASE("what was read before the samples is no part of the row") {
  ScriptedDevice device([](int) { return 1.0; });
  std::vector<std::string> reasons = {"of the row before"};
  device.sensors = [&](double) { return Telemetry{.throttle_reasons = reasons}; };
  Monitor monitor({&device}, [] { return 0.0; });
  monitor.read(0, 0);
  CHECK(monitor.of(0, 0).size() == 1);  // better than none
  reasons.clear();
  monitor.read(10, 1);
  monitor.read(20, 5);
  REQUIRE(monitor.of(0, 0).size() == 2);
  CHECK(clocks_of(monitor.of(0, 0), 1).throttle_reasons.empty());
  CHECK(monitor.of(0, 3).size() == 1);
  CHECK(monitor.of(0, 3).front().launches == 20);
}

TEST_CASE("all devices are read at once, a quarter of a second apart") {
  ScriptedDevice one([](int) { return 1.0; }), other([](int) { return 1.0; });
  one.sensors = [](double) { return Telemetry{.clock_hz = 1e9}; };
  other.sensors = [](double) { return Telemetry{.clock_hz = 2e9}; };
  double now = 10;
  Monitor monitor({&one, &other}, [&] { return now; });
  CHECK(monitor.due());
  monitor.read(3, 2);
  CHECK_FALSE(monitor.due());
  now += 0.25;
  CHECK(monitor.due());
  REQUIRE(monitor.of(1).size() == 1);
  CHECK(monitor.of(0)[0].sensors.clock_hz == 1e9);
  CHECK(monitor.of(1)[0].sensors.clock_hz == 2e9);
  CHECK(monitor.of(1)[0].at_seconds == 10);
  CHECK(monitor.of(1)[0].launches == 3);
}

}  // namespace
}  // namespace steelyard
