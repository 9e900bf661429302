// SPDX-License-Identifier: Apache-2.0
// The error rates of the gate on simulated machines: how often it calls a regression where nothing
// changed, and how often it finds one. Seeds are fixed. STATISTICS.md quotes the rates.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "reports/gate.h"
#include "reports/statistics.h"
#include "tests/catch.h"
#include "tests/noise.h"

namespace steelyard {
namespace {

// A machine's noise on the logarithmic scale. Deviations are relative.
struct Model {
  std::string name;
  double within = 0;          // of samples in a run
  double persistence = 0;     // AR(1) coefficient of successive samples
  double between = 0;         // of runs
  double walk = 0;            // of the random walk from run to run
  double warm_up = 0;         // the first sample is so much slower, falling over ten samples
  double second_clock = 0;    // two clocks: so much slower on the other
  double clock_switches = 0;  // probability per sample; 0: drawn once per run
  double second_clock_share = 0.5;
  double slow_run_share = 0, slow_run = 0;  // some runs are slower as a whole
  double spikes = 0;                        // share of samples with a Pareto spike
  double tick_seconds = 0;                  // of the timer
  double jitter_seconds = 0;                // added to every sample
  double seconds = 1e-3;                    // of a launch
};

// S0 to S9 of the literature note, and two of our own: a neighbour that takes a share of the machine
// for some runs on end, and runs whose whole distribution is skewed.
const std::array machines = {
    Model{.name = "independent", .within = 0.003},
    Model{.name = "autocorrelated", .within = 0.004, .persistence = 0.9, .between = 0.003},
    Model{.name = "two clocks within a run",
          .between = 0.003,
          .second_clock = 0.03,
          .clock_switches = 0.05},
    Model{.name = "a clock per run",
          .within = 0.002,
          .second_clock = 0.03,
          .second_clock_share = 0.3},
    Model{.name = "warm-up drift",
          .within = 0.003,
          .persistence = 0.5,
          .between = 0.005,
          .walk = 0.002,
          .warm_up = 0.015},
    Model{.name = "coarse timer",
          .within = 0.003,
          .between = 0.005,
          .spikes = 0.01,
          .tick_seconds = 0.5e-6,
          .seconds = 8.2e-6},
    Model{.name = "wide runs and a walk",
          .within = 0.004,
          .persistence = 0.5,
          .between = 0.01,
          .walk = 0.003,
          .spikes = 0.01},
    Model{.name = "some slow runs", .within = 0.003, .slow_run_share = 0.1, .slow_run = 0.05},
    Model{.name = "very wide runs", .within = 0.003, .between = 0.015},
    Model{.name = "event jitter", .within = 0.002, .jitter_seconds = 0.9e-6, .seconds = 30e-6},
    Model{.name = "a neighbour on some runs",
          .within = 0.004,
          .between = 0.004,
          .slow_run_share = 0.2,
          .slow_run = 0.02,
          .spikes = 0.05},
    Model{.name = "long spikes and a walk",
          .within = 0.006,
          .persistence = 0.7,
          .between = 0.006,
          .walk = 0.002,
          .spikes = 0.04}};

class Machine {
 public:
  Machine(const Model& model, std::uint64_t seed) : model_(model), noise_(seed) {}

  // The trimmed mean of one run, `slower` times as slow.
  double run(double slower) {
    constexpr int samples = 50;
    walk_ += model_.walk * noise_.normal();
    const double of_run =
        walk_ + model_.between * noise_.normal() +
        (noise_.uniform() < model_.slow_run_share ? std::log1p(model_.slow_run) : 0);
    bool second = noise_.uniform() < model_.second_clock_share;
    double state = noise_.normal();
    std::array<double, samples> times;
    for (int i = 0; i < samples; ++i) {
      const double p = model_.persistence;
      state = p * state + std::sqrt(1 - p * p) * noise_.normal();
      if (model_.clock_switches > 0 && noise_.uniform() < model_.clock_switches) second = !second;
      double log = of_run + model_.within * state + model_.warm_up * std::exp(-i / 10.0);
      if (second) log += std::log1p(model_.second_clock);
      if (noise_.uniform() < model_.spikes) log += 0.02 * (std::pow(noise_.uniform(), -0.5) - 0.9);
      const double time =
          model_.seconds * slower * std::exp(log) + model_.jitter_seconds * noise_.normal();
      times[i] = model_.tick_seconds > 0
                     ? std::round(time / model_.tick_seconds + noise_.uniform() - 0.5) *
                           model_.tick_seconds
                     : time;
    }
    return trimmed_mean(times);
  }

 private:
  const Model& model_;
  Noise noise_;
  double walk_ = 0;
};

struct Gated {
  bool found = false;      // by a look
  bool confirmed = false;  // by fresh runs
  bool passed = false;
  int runs = 0;          // a side until the look that found or passed it
  double deviation = 0;  // between the runs of the last look
};

// Pairs in the order ABBA, as many as the test asks for.
Gated gate(const Model& model, double slower, std::uint64_t seed) {
  Machine machine(model, seed);
  std::vector<double> base, candidate;
  Standing now = standing(base, candidate, {});
  while (!now.finding) {
    const bool base_first = base.size() % 2 == 0;
    if (base_first) base.push_back(machine.run(1));
    candidate.push_back(machine.run(slower));
    if (!base_first) base.push_back(machine.run(1));
    now = standing(base, candidate, {});
  }
  return {.found = now.suspected,
          .confirmed = now.finding == Finding::regression,
          .passed = now.finding == Finding::pass || now.finding == Finding::improvement,
          .runs = now.looked_at,
          .deviation = now.shift->deviation};
}

struct Rates {
  int trials = 0, found = 0, confirmed = 0, passed = 0;
  double mean_runs = 0, variance = 0;  // of runs, relative
};

Rates rates(const Model& model, double slower, int trials) {
  Rates all{.trials = trials};
  for (int trial = 0; trial < trials; ++trial) {
    const Gated one = gate(model, slower, 1'000'003ull * trial + 17);
    all.found += one.found;
    all.confirmed += one.confirmed;
    all.passed += one.passed;
    all.mean_runs += static_cast<double>(one.runs) / trials;
    all.variance += one.deviation * one.deviation / trials;
  }
  return all;
}

// Upper bound of a probability, 95 %, from `hits` of `n` (Clopper and Pearson, 1934), by bisection
// of the binomial distribution.
double upper_bound(int hits, int n) {
  double low = static_cast<double>(hits) / n, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double p = (low + high) / 2;
    double below = 0, log_term = n * std::log1p(-p);
    for (int k = 0; k <= hits; ++k) {
      below += std::exp(log_term);
      log_term += std::log(static_cast<double>(n - k) / (k + 1)) + std::log(p) - std::log1p(-p);
    }
    (below > 0.05 ? low : high) = p;
  }
  return high;
}

TEST_CASE("the gate's error rates on twelve machines") {
  constexpr int trials = 2000;
  fmt::print(
      "{:26} deviation [%]  A/A: found [%]  confirmed  runs | +3 %: found [%]  confirmed  passed  "
      "runs | "
      "+5 %: found [%]\n",
      "machine");
  for (const Model& model : machines) {
    CAPTURE(model.name);
    const Rates same = rates(model, 1, trials), three = rates(model, 1.03, trials),
                five = rates(model, 1.05, trials);
    const auto percent = [](int hits) { return 100.0 * hits / trials; };
    fmt::print(
        "{:26} {:13.2f} {:15.2f} {:10.2f} {:5.1f} | {:15.1f} {:10.1f} {:7.2f} {:5.1f} | {:15.1f}\n",
        model.name, 100 * std::sqrt(same.variance), percent(same.found), percent(same.confirmed),
        same.mean_runs, percent(three.found), percent(three.confirmed), percent(three.passed),
        three.mean_runs, percent(five.found));
    CHECK(percent(same.found) <= 1.0);
    CHECK(100 * upper_bound(same.found, trials) <= 1.5);
    CHECK(percent(three.found) >= 95);
    CHECK(percent(five.found) >= 99);
    CHECK(same.mean_runs <= 8.5);
    CHECK(three.mean_runs <= 8.5);
  }
}

TEST_CASE("a suite of 100 unchanged rows has a confirmed false alarm in at most 1 % of gates") {
  constexpr int suites = 1000, rows = 100;
  int with_suspicion = 0, with_alarm = 0;
  for (int suite = 0; suite < suites; ++suite) {
    bool suspicion = false, alarm = false;
    for (int row = 0; row < rows; ++row) {
      const Model& model = machines[static_cast<std::size_t>(row) % machines.size()];
      const Gated one = gate(model, 1, 7'919ull * suite + 104'729ull * row + 5);
      suspicion = suspicion || one.found;
      alarm = alarm || one.confirmed;
    }
    with_suspicion += suspicion;
    with_alarm += alarm;
  }
  fmt::print("of {} unchanged suites of {} rows {} had a suspicion and {} a confirmed regression\n",
             suites, rows, with_suspicion, with_alarm);
  CHECK(with_alarm <= suites / 100);
}

TEST_CASE("exchanging the labels of runs gives p-values that are uniform") {
  std::mt19937_64 bits(3);
  std::vector<double> p_values;
  for (int trial = 0; trial < 4000; ++trial) {
    Machine machine(machines[1], 31ull * trial + 1);
    std::vector<double> runs;
    for (int i = 0; i < 20; ++i) runs.push_back(machine.run(1));
    for (std::size_t i = runs.size() - 1; i > 0; --i) std::swap(runs[i], runs[bits() % (i + 1)]);
    p_values.push_back(shift(std::span(runs).first(10), std::span(runs).last(10)).p_above(1));
  }
  std::ranges::sort(p_values);
  double distance = 0;  // Kolmogorov's, from the uniform distribution
  for (std::size_t i = 0; i < p_values.size(); ++i)
    distance = std::max(distance, std::abs(p_values[i] - (static_cast<double>(i) + 0.5) /
                                                             static_cast<double>(p_values.size())));
  CHECK(distance < 1.36 / std::sqrt(4000.0));  // its 5 % point
}

}  // namespace
}  // namespace steelyard
