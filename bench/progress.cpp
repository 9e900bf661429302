// SPDX-License-Identifier: Apache-2.0
#include "bench/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "reports/render.h"

namespace steelyard {
namespace {

// The figure that fits the problem: time of one step, arithmetic, or bandwidth.
std::string speed(const Record& record) {
  const double median = record.timing.median_seconds;
  if (record.steps > 0) return seconds(median / record.steps) + "/step";
  const bool memory_bound = record.family == "memory" || record.family == "layers";
  if (record.flops > 0 && !memory_bound) return rate(record.flops / median, "FLOP/s");
  return rate(record.bytes / median, "B/s");
}

// What options added: energy, the slowest of several devices, how much faster zeros are.
std::string extras(const Record& record) {
  std::string text;
  if (record.power.valid && record.power.joules_per_launch)
    text += fmt::format("  {:.3g} J", *record.power.joules_per_launch);
  if (!record.together.empty()) {
    const auto [fastest, slowest] =
        std::ranges::minmax_element(record.together, {}, &Member::median_seconds);
    text += fmt::format("  slowest {} (+{:.1f} %)", slowest->device,
                        100 * (slowest->median_seconds / fastest->median_seconds - 1));
  }
  if (record.zeros) text += fmt::format("  zeros {:+.1f} %", 100 * record.zeros->uplift);
  return text;
}

std::string outcome(const Record& record) {
  if (record.status != Status::ok)
    return fmt::format("{}: {}", name(record.status), printable(record.reason));
  const Timing& timing = record.timing;
  const double half = std::max(timing.ci95_seconds.upper - timing.median_seconds,
                               timing.median_seconds - timing.ci95_seconds.lower);
  std::string flags;
  for (const std::string& flag : timing.flags) flags += "  " + flag;
  return fmt::format("{:>10} ± {:4.1f} %  {:>14}  n={}{}{}", seconds(timing.median_seconds),
                     100 * half / timing.median_seconds, speed(record),
                     timing.samples_seconds.size(), extras(record), flags);
}

}  // namespace

Progress::Progress(std::span<const Row> rows, double most_seconds)
    : total_(rows.size()), most_seconds_(most_seconds), on_terminal_(isatty(STDERR_FILENO) == 1) {
  for (const Row& row : rows) width_ = std::max(width_, row.key.size());
}

void Progress::begin(const Row& row) {
  if (!on_terminal_) return;
  const std::string left = done_ == 0 ? ", at most " + duration(most_seconds_) + " of timing"
                                      : ", about " + duration(seconds_left()) + " left";
  fmt::print(stderr, "[{}/{}{}] {}", done_ + 1, total_, left, row.key);
  std::fflush(stderr);
}

void Progress::end(const Record& record) {
  erase_line();
  ++done_;
  fmt::print("{:<{}}  {}\n", key(record), width_, outcome(record));
  std::fflush(stdout);
}

void Progress::erase_line() const {
  if (!on_terminal_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

double Progress::seconds_left() const {
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
  return spent.count() / static_cast<double>(done_) * static_cast<double>(total_ - done_);
}

}  // namespace steelyard
