// SPDX-License-Identifier: Apache-2.0
// One kernel's time on one problem and device: the rows of one key over all their runs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/results.h"
#include "reports/specs.h"

namespace steelyard {

struct Estimate {
  double seconds = 0;
  Interval ci95;
};

// One run: its median and interval. Several: the median of their medians, and an interval from the
// spread between runs, since the samples of one run say nothing of the next: Student's t on the
// logarithms, widened to the point where need be.
Estimate combine(std::span<const Estimate> runs);

struct Measurement {
  std::vector<const Record*> runs;  // never empty; alike in key and identity
  Estimate time;
  // The fastest kernel's time over this one's, where a problem has several on one device.
  std::optional<double> share_of_best;

  const Record& row() const { return *runs.front(); }
};

// All ok rows of a result set, ordered by family, problem, settings, device, tier and kernel.
// Points into `results`.
std::vector<Measurement> measurements(const Results& results);

// The order of tables: library, best, tuned, portable.
int tier_rank(const std::string& tier);

// The type that a row computes with: "bf16"; empty where its problem names none.
std::string_view compute_dtype(const Record& row);

// What a row is judged by: operations for compute, bytes for memory-bound families, time per
// dependent step for latencies, tokens for steps of a language model.
enum class Metric { flops, bandwidth, latency, tokens };
Metric metric(const Record& row);

// Whether it is the device's memory that a row waits for where it waits for data: not a cache, nor the
// link to the host.
bool uses_device_memory(const Record& row);

// What a rate of tokens is, and is not: for every table that shows one.
inline constexpr std::string_view tokens_note =
    "tokens/s: kernel-level bound: one device, no scheduler, no network.";
inline constexpr std::string_view blocks_note =
    "A problem has as many blocks of its model as its l says, with embedding and head.";

// Of devices that were measured together, each has one; a latency is that of one problem.
double problems_at_once(const Record& row);

// "432.1 GFLOP/s", "34.50 GB/s", "3.210 ns/step", "1234 tokens/s".
std::string performance(const Measurement& measurement);

// The datasheet's peak of the row's type, or its bandwidth. Null where it is unknown, for latencies
// and for bytes that are not the device's memory's.
const Fact* peak(const Record& row);
std::optional<double> share_of_peak(const Measurement& measurement);

// The larger half of the interval relative to the time: "0.41 %"; that of two runs has no
// useful bound: "> 999 %".
std::string half_width(const Estimate& estimate);

// What a reader must know of a number: "not converged, nondeterministic".
std::string flags(const Measurement& measurement);

// "normal/rotate/steady"
std::string settings(const Record& row);

}  // namespace steelyard
