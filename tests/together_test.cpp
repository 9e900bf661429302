// SPDX-License-Identifier: Apache-2.0
#include "bench/together.h"

#include <atomic>

#include "tests/catch.h"
#include "tests/scripted_device.h"

namespace steelyard {
namespace {

// Notes when each of its launches ran, on a counter that all devices share.
class OrderedRun final : public Run {
 public:
  explicit OrderedRun(std::atomic<int>& order) : order_(order) {}

  void launch(int) override { launched.push_back(order_++); }
  std::vector<Tensor> tensors(int) const override { return {}; }
  void reset(int copy, int) override { poisoned = copy; }
  std::string damage(int) const override { return damaged; }
  int copies() const override { return 4; }

  std::vector<int> launched;
  int poisoned = -1;
  std::string damaged;

 private:
  std::atomic<int>& order_;
};

TEST_CASE("a window is as long as its slowest device takes, and each device's time is kept") {
  ScriptedDevice quick([](int) { return 1e-3; });
  ScriptedDevice slow([](int window) { return window == 0 ? 2e-3 : 3e-3; });
  Device* const devices[] = {&quick, &slow};
  std::atomic<int> order = 0;
  OrderedRun one(order), other(order);
  Together together(devices);
  const auto run = together.join({&one, &other});
  CHECK(together.time(*run, {.launches = 2}).device_seconds == Approx(4e-3));
  CHECK(together.time(*run, {.launches = 2, .first_copy = 2}).device_seconds == Approx(6e-3));
  REQUIRE(together.windows(0).size() == 2);
  CHECK(together.windows(0)[1] == Approx(2e-3));
  CHECK(together.windows(1)[0] == Approx(4e-3));
  CHECK(quick.windows.back().first_copy == 2);
  CHECK(one.launched.size() == 4);
  CHECK(other.launched.size() == 4);
}

TEST_CASE("a time that cannot be is not hidden by another device's") {
  ScriptedDevice right([](int) { return 5e-3; }), wrong([](int) { return -1.78e-3; });
  Device* const devices[] = {&right, &wrong};
  std::atomic<int> order = 0;
  OrderedRun one(order), other(order);
  Together together(devices);
  const auto run = together.join({&one, &other});
  CHECK(together.time(*run, {}).device_seconds == Approx(-1.78e-3));
}

TEST_CASE("a clock that disagrees with the host's is not hidden by another device's") {
  ScriptedDevice right([](int) { return 5e-3; }), wrong([](int) { return 2e-3; });
  wrong.host_over_device = 1.5;
  Device* const devices[] = {&right, &wrong};
  std::atomic<int> order = 0;
  OrderedRun one(order), other(order);
  Together together(devices);
  const auto run = together.join({&one, &other});
  const Elapsed elapsed = together.time(*run, {});
  CHECK(elapsed.device_seconds == Approx(5e-3));
  CHECK(elapsed.host_seconds == Approx(1.5 * 5e-3));
}

TEST_CASE("every window begins behind a barrier that all devices share") {
  ScriptedDevice a([](int) { return 1e-3; }), b([](int) { return 1e-3; });
  Device* const devices[] = {&a, &b};
  std::atomic<int> order = 0;
  OrderedRun one(order), other(order);
  Together together(devices);
  const auto run = together.join({&one, &other});
  for (int i = 0; i < 50; ++i) together.time(*run, {});
  for (int i = 0; i < 50; ++i) {
    CHECK(a.windows[i].start_barrier != nullptr);
    CHECK(a.windows[i].start_barrier == b.windows[i].start_barrier);
    // Neither device is a window ahead of the other.
    CHECK(one.launched[i] / 2 == other.launched[i] / 2);
  }
}

TEST_CASE("sensors are read once while all devices work") {
  ScriptedDevice a([](int) { return 1e-3; }), b([](int) { return 1e-3; });
  Device* const devices[] = {&a, &b};
  std::atomic<int> order = 0;
  OrderedRun one(order), other(order);
  Together together(devices);
  const auto run = together.join({&one, &other});
  int reads = 0;
  together.time(*run, {.meanwhile = [&] { ++reads; }});
  CHECK(reads == 1);
  const auto failing = [] { throw std::runtime_error("no sensors any more"); };
  CHECK_THROWS_WITH(together.time(*run, {.meanwhile = failing}), "no sensors any more");
  CHECK(together.time(*run, {}).device_seconds == Approx(1e-3));
}

TEST_CASE("what one device throws ends the window, and leaves the others usable") {
  ScriptedDevice good([](int) { return 1e-3; });
  bool fails = true;
  ScriptedDevice bad([&](int) -> double {
    if (fails) throw DeviceLost("scripted: off the bus");
    return 1e-3;
  });
  Device* const devices[] = {&good, &bad};
  std::atomic<int> order = 0;
  OrderedRun one(order), other(order);
  Together together(devices);
  const auto run = together.join({&one, &other});
  CHECK_THROWS_AS(together.time(*run, {}), DeviceLost);
  fails = false;
  CHECK(together.time(*run, {}).device_seconds == Approx(1e-3));
}

TEST_CASE("a device that fails before the start does not keep the others waiting") {
  class Refusing final : public Device {
   public:
    const DeviceInfo& info() const override { return info_; }
    std::int64_t free_bytes() const override { return 0; }
    Elapsed time(Run&, const Window&) override { throw std::runtime_error("no room to flush"); }
    HostTensor read(const Tensor&) override { return {}; }

   private:
    DeviceInfo info_;
  };
  ScriptedDevice good([](int) { return 1e-3; });
  Refusing bad;
  Device* const devices[] = {&good, &bad};
  std::atomic<int> order = 0;
  OrderedRun one(order), other(order);
  Together together(devices);
  const auto run = together.join({&one, &other});
  CHECK_THROWS_WITH(together.time(*run, {}), ContainsSubstring("no room"));
}

TEST_CASE("the joined run poisons and inspects all") {
  ScriptedDevice a([](int) { return 1e-3; }), b([](int) { return 1e-3; });
  Device* const devices[] = {&a, &b};
  std::atomic<int> order = 0;
  OrderedRun one(order), other(order);
  const Together together(devices);
  const auto run = together.join({&one, &other});
  run->reset(3, 0);
  CHECK(one.poisoned == 3);
  CHECK(other.poisoned == 3);
  CHECK(run->damage(0).empty());
  other.damaged = "the input a was changed";
  CHECK(run->damage(0) == "the input a was changed");
  CHECK_THROWS_AS(together.join({&one}), std::logic_error);
}

}  // namespace
}  // namespace steelyard
