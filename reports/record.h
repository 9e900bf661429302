// SPDX-License-Identifier: Apache-2.0
// Record: one row of every result file, the contract between measuring and reporting. A file is a
// superset of Google Benchmark's JSON: what is ours hangs under a key `steelyard`; schema.json is
// the published form.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace steelyard {

inline constexpr std::string_view schema_version = "1.0";
inline constexpr std::string_view suite_version = "0.1.0";

// A JSON scalar, and named scalars in the order they are written. Unknown facts are null with a
// reason in a field `<name>_reason`.
using Scalar = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string>;
using Fields = std::vector<std::pair<std::string, Scalar>>;

// unsupported: the device, a library or free memory rules it out. skipped: not asked of this
// device. failed: an error while it ran. incorrect: verification failed. implausible: faster than
// the hardware.
enum class Status { ok, unsupported, skipped, failed, incorrect, implausible };
std::string_view name(Status status);
std::optional<Status> parse_status(std::string_view text);
bool is_defect(Status status);  // failed, incorrect or implausible

// How the reason of a row begins that its device, or the host, had no room for.
inline constexpr std::string_view no_room = "does not fit: ";

struct Interval {
  double lower = 0, upper = 0;
};

// Seconds are per launch. A sample is one window of `launches` launches divided by their number.
// Statistics are of the samples from `reported_from` on: all but in sustained rows.
struct Timing {
  std::vector<double> samples_seconds;
  int launches = 1;
  int copies = 1;
  int reported_from = 0;
  double median_seconds = 0, trimmed_mean_seconds = 0, minimum_seconds = 0;
  double lower_quartile_seconds = 0, upper_quartile_seconds = 0;
  Interval ci95_seconds;  // of the median
  double lag1_autocorrelation = 0;
  double bimodality = 0;                 // Ashman's D of the best division in two (statistics.h)
  std::vector<int> outlying, throttled;  // samples by their index: marked, and counted like all
  bool converged = false;                // the interval reached its target before the time cap
  std::optional<bool> settled;
  std::vector<std::string> flags;
};

// One second of a sustained row: the median of its samples, and the sensors at its end.
struct TracePoint {
  double seconds = 0;  // since the row began
  double median_seconds = 0;
  std::optional<double> clock_hz, temperature_celsius, watts;
};

// Of the row's readings under load: the first, the last and the mean. Of several devices those of the
// first, and the throttle reasons of all.
struct Clocks {
  std::optional<double> before_hz, after_hz, mean_hz;
  std::optional<double> cycles;  // of one launch, at the mean clock
  std::optional<double> temperature_before_celsius, temperature_after_celsius;
  std::vector<std::string> throttle_reasons;  // that any reading showed
  std::string reason;                         // why something is absent
};

// joules_per_launch is the counter's where the device has one, else the integral of power.
struct Power {
  std::optional<double> watts, joules_per_launch;
  std::optional<double> joules_by_counter, joules_by_trapezoid;  // per launch
  std::string scope;  // what the sensor covers: the row's unit, or the package of a die
  bool valid = false;
  std::vector<std::string> reasons;
};

// One device of several that were measured together.
struct Member {
  std::string device;  // "hip:1"
  double median_seconds = 0, trimmed_mean_seconds = 0;
  std::optional<double> mean_hz, watts;
};

// The same row on zeros, which cost least to compute with.
struct DataSensitivity {
  double zeros_median_seconds = 0;
  double uplift = 0;  // speed on zeros over speed on the row's fill, minus one
};

// How much of a whole model, of which a step has some blocks, a device has room for.
struct Capacity {
  double weight_bytes = 0;
  double sequence_bytes = 0;  // that one more sequence takes, at the row's context
  int largest_batch = 0;      // at the row's context; 0: not even one sequence
  int largest_context = 0;    // of one sequence
  bool allocated = false;     // found by allocating all tensors, else counted
  // Of models that the program knows, in the row's phase, types and context; empty: none.
  std::optional<std::string> largest_model = {};
};

// What only steps of a model have. The rates are what the device reached beside the step.
struct StepFacts {
  double model_flops = 0;            // of a step, as the model asks for them (transformer.h)
  double roof_bytes = 0;             // weights and cache, which a step reads at least once
  double resident_bytes = 0;         // all tensors of a step at once: nothing is freed in between
  int largest_batch = 0;             // whose tensors fit into the device's memory; 0: not even one
  double read_bytes_per_second = 0;  // from memory
  double flops_per_second = 0;       // of a large matrix product in the step's type
  // Of weights that a step makes narrow: the norm of what they lose over their own.
  std::optional<double> quantisation_error;
  // What the device's free memory fell by: tensors, workspaces, code. Of devices with their own memory.
  std::optional<double> taken_bytes;
  std::optional<Capacity> whole_model;  // of phases that hold all blocks at once: training, decode
};

// An operation of a step with the kernel that took it, timed alone.
struct Part {
  std::string name;       // "block 0: attention"
  std::string operation;  // the id of its problem
  std::string kernel, tier;
  double chained_seconds = 0;  // in the step's order: caches hold what the operations before left
  double cold_seconds = 0;     // caches hold other data; of equal operations the first one's
};

struct Verdict {
  bool ok = false;
  double error = 0;      // worst error over its tolerance: at most 1 when ok
  double tolerance = 0;  // absolute, at that element
  std::string check;     // "exact integers, element bound on 4096 of 4194304 elements"
  std::optional<double> relative_error;  // Frobenius norm, a metric rather than a criterion
  std::optional<bool> deterministic;
  double seconds = 0;  // that verification took, the truth's computation included where it was made
};

// What must agree for two rows to be compared: canonical JSON of `fields` and its SHA-256. Rows of
// one file share the object.
struct Comparability {
  std::string key;
  Fields fields;
};

// The file that rows were read from.
struct Origin {
  std::string path;    // as it was given, or in the folder that was given
  std::string sha256;  // in hex; empty where it is no regular file
};

struct Record {
  // The row key is id/kernel/tier/device/fill/cache/mode.
  std::string id;      // "gemm/f32/nn/2048x2048x2048"
  std::string family;  // "gemm", "attention", "memory", "layers", "llm"
  std::string kernel;
  std::string tier;    // portable, tuned, library, best
  std::string detail;  // library version, algorithm, instruction set
  std::string device;  // "cpu:0"
  std::string device_name;
  std::string unit;  // gcd, package, node
  std::string fill, cache, mode;
  std::uint64_t seed = 0;
  int repetition = 0, repetitions = 1;

  Status status = Status::ok;
  std::string reason;     // of every status but ok
  std::string reproduce;  // the command that makes this row alone

  Fields problem;
  double flops = 0, bytes = 0, steps = 0;  // work of one launch
  Timing timing;
  Clocks clocks;
  Power power;
  Verdict verdict;
  std::vector<TracePoint> trace;  // of sustained rows
  std::vector<Member> together;   // of rows of several devices; flops and bytes are their sum
  std::optional<DataSensitivity> zeros;             // where it was asked for
  std::optional<StepFacts> step;                    // of steps of a model
  std::vector<Part> parts;                          // of those, in their order
  std::shared_ptr<const Comparability> identity;    // class A: never compared when different
  std::shared_ptr<const Comparability> conditions;  // class B: refused by gates, shown by reports
  std::shared_ptr<const Origin> origin;             // null until it was read from a file
  int method_version = 1;
};

// "gemm/f32/nn/2048x2048x2048/onednn/library/cpu:0/normal/rotate/steady"
std::string key(const Record& record);

// What a file says once. `google` are Google Benchmark's own context fields; caches stand apart
// since they are a list.
struct Cache {
  std::string type;
  int level = 0, size_bytes = 0, sharing = 0;
};

struct Context {
  Fields google;  // date, host_name, executable, num_cpus, mhz_per_cpu, cpu_scaling_enabled, ...
  std::vector<Cache> caches;
  std::vector<double> load_average;
  std::string suite;              // "gemm quick"
  Fields build;                   // version, git commit, dirty, compiler, flags, gpu architectures
  Fields host;                    // kernel, governor, memory, container hints, ...
  std::vector<Fields> devices;    // id, name, vendor, architecture, driver, memory, caches, ...
  Fields timer;                   // the host's clock; devices[] have their own
  std::vector<Fields> preflight;  // device, check, value, warning
  Fields settings;                // every option in force
  Fields labels;                  // --label KEY=VALUE
  std::vector<std::string> argv;
};

struct ResultFile {
  Context context;
  std::shared_ptr<const Origin> origin;  // that of its records
  std::vector<Record> records;  // ok rows and rows not measured, in the order they were tried
};

// Makes a comparability from fields: canonical JSON (sorted keys, no spaces), SHA-256 in hex.
std::shared_ptr<const Comparability> comparability(Fields fields);

// One clear line: file, place (a JSON pointer or line), what is wrong, what to do.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string to_json(const ResultFile& file);
ResultFile from_json(std::string_view text, const std::string& file_name);

// Reads with a SAX parser: memory stays near the size of the records.
ResultFile read_results(const std::filesystem::path& path);

// Writes to a temporary file beside `path`, flushes it to the disk and renames it: a reader, a kill
// or a full disk never meets half a file. Throws FileError.
void write_results(const std::filesystem::path& path, const ResultFile& file);

}  // namespace steelyard
