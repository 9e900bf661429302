// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/choose_algorithm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace steelyard::gpu {
namespace {

// Of each algorithm the shortest of so many windows counts. The windows of all take turns, so that a
// clock that drifts drifts for all.
constexpr int rounds = 3;
constexpr double window_seconds = 1e-3;  // long beside the resolution of a device's clock
constexpr int most_launches = 64;

constexpr double failed_seconds = std::numeric_limits<double>::infinity();

// Runs each algorithm once: the first launch loads its code. The second is timed.
std::vector<double> try_out(Device& device, Run& run, std::size_t count,
                            const std::function<void(std::size_t)>& use, Choice& choice) {
  std::vector<double> seconds(count, failed_seconds);
  for (std::size_t i = 0; i < count; ++i) {
    use(i);
    try {
      device.time(run, {.launches = 1});
      seconds[i] = device.time(run, {.launches = 1}).device_seconds;
    } catch (const DeviceLost&) {
      throw;
    } catch (const std::runtime_error& error) {
      if (choice.failed++ == 0) choice.first_failure = error.what();
    }
  }
  if (choice.failed == count)
    throw std::runtime_error("every algorithm failed; the first: " + choice.first_failure);
  return seconds;
}

// A Run whose detail is known only once the algorithm is chosen.
class DetailedRun final : public Run {
 public:
  DetailedRun(std::unique_ptr<Run> run, std::string detail)
      : run_(std::move(run)), detail_(std::move(detail)) {}

  void launch(int copy) override { run_->launch(copy); }
  std::vector<Tensor> tensors(int copy) const override { return run_->tensors(copy); }
  void reset(int copy, int round) override { run_->reset(copy, round); }
  std::string damage(int copy) const override { return run_->damage(copy); }
  int copies() const override { return run_->copies(); }
  std::string detail() const override { return detail_; }

 private:
  std::unique_ptr<Run> run_;
  std::string detail_;
};

bool changes_bound_operand(const Inputs& inputs) {
  return std::ranges::any_of(
      inputs.bound, [](const Tensor& tensor) { return tensor.operand.access == Access::inout; });
}

}  // namespace

Choice choose_fastest(Device& device, Run& run, std::size_t count,
                      const std::function<void(std::size_t)>& use) {
  Choice choice;
  std::vector<double> seconds = try_out(device, run, count, use, choice);
  const double shortest = *std::ranges::min_element(seconds);
  const int launches = shortest > 0
                           ? static_cast<int>(std::clamp(std::ceil(window_seconds / shortest), 1.,
                                                         static_cast<double>(most_launches)))
                           : most_launches;
  std::vector<double> best(count, failed_seconds);
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < count; ++i) {
      if (seconds[i] == failed_seconds) continue;
      use(i);
      const double window = device.time(run, {.launches = launches}).device_seconds;
      best[i] = std::min(best[i], window / launches);
    }
  choice.fastest = static_cast<std::size_t>(std::ranges::min_element(best) - best.begin());
  use(choice.fastest);
  for (int copy = 0; copy < run.copies(); ++copy) run.reset(copy);
  return choice;
}

std::unique_ptr<Run> make_fastest_run(GpuDevice& device, const Problem& problem,
                                      const Inputs& inputs, std::vector<Algorithm> algorithms,
                                      const std::string& library) {
  const auto chosen = std::make_shared<std::size_t>(0);
  const auto all = std::make_shared<const std::vector<Algorithm>>(std::move(algorithms));
  auto run = make_run(device, problem, inputs,
                      [=](const Arguments& arguments) { all->at(*chosen).launch(arguments); });
  std::string how = "first choice";
  if (all->size() > 1 && !changes_bound_operand(inputs)) {
    const Choice choice =
        choose_fastest(device, *run, all->size(), [=](std::size_t i) { *chosen = i; });
    how = fmt::format("fastest of {}", all->size());
    if (choice.failed > 0)
      how += fmt::format(" ({} failed: {})", choice.failed, choice.first_failure);
  }
  return std::make_unique<DetailedRun>(
      std::move(run), fmt::format("{}, {}: {}", library, how, all->at(*chosen).description));
}

}  // namespace steelyard::gpu
