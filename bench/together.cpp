// SPDX-License-Identifier: Apache-2.0
#include "bench/together.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>

namespace steelyard {
namespace {

class JoinedRun final : public Run {
 public:
  explicit JoinedRun(std::vector<Run*> runs) : runs_(std::move(runs)) {}

  Run& of(std::size_t device) { return *runs_.at(device); }

  void launch(int copy) override {
    for (Run* run : runs_) run->launch(copy);
  }
  std::vector<Tensor> tensors(int copy) const override {
    std::vector<Tensor> all;
    for (const Run* run : runs_) std::ranges::move(run->tensors(copy), std::back_inserter(all));
    return all;
  }
  void reset(int copy, int round) override {
    for (Run* run : runs_) run->reset(copy, round);
  }
  std::string damage(int copy) const override {
    for (const Run* run : runs_)
      if (std::string found = run->damage(copy); !found.empty()) return found;
    return {};
  }
  int copies() const override { return runs_.front()->copies(); }
  std::string detail() const override { return runs_.front()->detail(); }

 private:
  std::vector<Run*> runs_;
};

}  // namespace

// A device and the thread that works with it.
class Together::Worker {
 public:
  explicit Worker(Device& device) : device_(device) {}

  Device& device() const { return device_; }
  std::span<const double> windows() const { return windows_; }

  void begin(Run& run, const Window& window) {
    std::packaged_task<Elapsed()> task([this, &run, window] {
      try {
        return device_.time(run, window);
      } catch (...) {
        window.start_barrier->arrive_and_drop();  // the others need not wait for this one
        throw;
      }
    });
    result_ = task.get_future();
    {
      const std::scoped_lock lock(mutex_);
      task_ = std::move(task);
    }
    wake_.notify_one();
  }

  Elapsed end() {
    const Elapsed elapsed = result_.get();
    windows_.push_back(elapsed.device_seconds);
    return elapsed;
  }

  void wait() const { result_.wait(); }

 private:
  void work(const std::stop_token& stop) {
    while (true) {
      std::packaged_task<Elapsed()> task;
      {
        std::unique_lock lock(mutex_);
        if (!wake_.wait(lock, stop, [this] { return task_.valid(); })) return;
        task = std::move(task_);
      }
      task();
    }
  }

  Device& device_;
  std::vector<double> windows_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::packaged_task<Elapsed()> task_;
  std::future<Elapsed> result_;
  std::jthread thread_{[this](const std::stop_token& stop) { work(stop); }};  // ends first
};

Together::Together(std::span<Device* const> devices) {
  for (Device* device : devices) workers_.push_back(std::make_unique<Worker>(*device));
}

Together::~Together() = default;

std::unique_ptr<Run> Together::join(std::vector<Run*> runs) const {
  if (runs.size() != workers_.size()) throw std::logic_error("a Run for each device is needed");
  return std::make_unique<JoinedRun>(std::move(runs));
}

const DeviceInfo& Together::info() const {
  return workers_.front()->device().info();
}

std::int64_t Together::free_bytes() const {
  std::int64_t least = workers_.front()->device().free_bytes();
  for (const auto& worker : workers_) least = std::min(least, worker->device().free_bytes());
  return least;
}

Elapsed Together::time(Run& joined, const Window& window) {
  std::barrier<> start(static_cast<std::ptrdiff_t>(workers_.size() + 1));  // and this thread
  Window of_each = window;
  of_each.start_barrier = &start;
  of_each.meanwhile = {};
  auto& runs = dynamic_cast<JoinedRun&>(joined);
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->begin(runs.of(i), of_each);
  const auto wait_for_all = [this] {  // the barrier outlives all its users
    for (const auto& worker : workers_) worker->wait();
  };
  start.arrive_and_wait();
  try {
    if (window.meanwhile) window.meanwhile();
  } catch (...) {
    wait_for_all();
    throw;
  }
  wait_for_all();
  Elapsed slowest;
  std::optional<double> impossible;  // a member's time, which no other's may hide
  double host_over_device = 1;       // the one furthest from 1, which no other's may hide either
  for (const auto& worker : workers_) {
    const Elapsed one = worker->end();
    if (!(one.device_seconds > 0)) impossible = one.device_seconds;
    slowest.device_seconds = std::max(slowest.device_seconds, one.device_seconds);
    slowest.gave_up = slowest.gave_up || one.gave_up;
    const double ratio = one.host_seconds / one.device_seconds;
    if (std::abs(std::log(ratio)) > std::abs(std::log(host_over_device))) host_over_device = ratio;
  }
  if (impossible) slowest.device_seconds = *impossible;
  slowest.host_seconds = slowest.device_seconds * host_over_device;
  return slowest;
}

HostTensor Together::read(const Tensor&) {
  throw std::logic_error("devices that work together are read one by one");
}

std::span<const double> Together::windows(std::size_t device) const {
  return workers_.at(device)->windows();
}

}  // namespace steelyard
