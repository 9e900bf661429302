// SPDX-License-Identifier: Apache-2.0
// The contract between the suite and a vendor.
#pragma once

#include <barrier>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/inputs.h"

namespace steelyard {

// Something worth recording of a device; without a value it has the reason.
struct DeviceFact {
  // condition: rows that differ in it are refused by gates. note: for readers. identity: a note that
  // tells one specimen from all others, such as a serial number; --anonymise hashes it.
  enum Use { condition, note, identity };

  std::string name, value, reason = {};
  Use use = condition;
};

struct DeviceInfo {
  std::string backend;  // "cpu", "cuda", "hip"
  int index = 0;        // "cuda:0" is backend and index
  std::string name;     // as the driver spells it
  std::string vendor;
  std::string architecture;  // "sm_90", "gfx942", "x86-64-v4"
  std::string uuid;
  std::string driver;
  std::string unit = "package";  // what one device is: gcd, package or node
  int compute_units = 0;         // SMs, CUs or cores
  std::int64_t memory_bytes = 0;
  std::int64_t last_level_cache_bytes = 0;  // as the run time reports it; specs may know more
  Encoding fp8 = Encoding::ocp;
  bool shares_host_memory = false;  // operands compete with what the host keeps to check them
  bool emulated = false;            // results are verified, never timed
  std::vector<DeviceFact> facts;    // anything else
};

// One reading of a device's sensors; what it lacks is absent, with the reason in `missing`.
struct Telemetry {
  std::optional<double> clock_hz, memory_clock_hz;
  std::optional<double> power_watts, power_cap_watts;
  std::optional<double> energy_joules;  // a counter: only differences mean something
  std::optional<double> temperature_celsius;
  std::optional<std::int64_t> uncorrectable_errors;  // of the memory, since the driver was loaded
  // What holds the clocks down now, or did since the previous reading where the device counts it.
  std::vector<std::string> throttle_reasons;
  std::string missing;  // "energy: not supported; power: no permission"
};

// A named value on a device.
struct Tensor {
  Operand operand;
  void* data = nullptr;
  Encoding encoding = Encoding::ocp;
};

// Every tensor starts at a multiple of so many bytes.
inline constexpr std::int64_t tensor_alignment = 64;
constexpr std::int64_t align(std::int64_t bytes) {
  return (bytes + tensor_alignment - 1) / tensor_alignment * tensor_alignment;
}

// What a Run works on.
struct Inputs {
  Fill fill = Fill::normal;
  std::uint64_t seed = 42;
  int copies = 1;                   // operand sets with equal values, to rotate through
  std::int64_t guard_bytes = 4096;  // in front of and behind every tensor
  std::vector<Tensor> bound;        // device tensors taken as they are, by name
  // Inputs that other Runs write: damage() lets them change, reset() restores them.
  std::vector<std::string_view> rewritten;
  // What make_inputs gives for this fill and seed, where the caller has it already; else it is made.
  std::span<const HostTensor> made = {};
  // Beside these: inputs all of whose elements are one number, by name.
  std::vector<std::pair<std::string_view, double>> constants = {};
};

// One problem made ready on one device: inputs filled, workspaces allocated.
class Run {
 public:
  virtual ~Run() = default;

  virtual void launch(int copy) = 0;                        // enqueues once; does not wait
  virtual std::vector<Tensor> tensors(int copy) const = 0;  // of all operands; does not wait
  std::vector<Tensor> outputs(int copy) const;              // of these, the out and inout ones
  // Restores inout tensors and poisons pure outputs: NaN, for integers a pattern that `round`
  // changes.
  virtual void reset(int copy, int round = 0) = 0;
  // What was written that must not be: a guard band or a pure input. Empty when nothing was.
  virtual std::string damage(int copy) const = 0;
  virtual int copies() const = 0;
  virtual std::string detail() const { return {}; }  // library version, algorithm, instruction set
};

// A window of launches that is timed as one: launch i works on copy (first_copy + i) mod copies().
struct Window {
  int launches = 1;  // 0: what timing itself costs
  int first_copy = 0;
  std::int64_t flush_bytes = 0;  // read so many bytes before the window starts
  bool graph = false;            // replay as one graph, where the device has graphs
  // Enqueue all launches before the first may start, where the device can: no gap is the host's then.
  // Only for a Run that was launched before: a first launch may load code, which waits for the device.
  bool back_to_back = false;
  std::barrier<>* start_barrier = nullptr;  // begin together with other devices
  // Called once while the device works on the window; after it where launches are synchronous.
  std::function<void()> meanwhile;
};

struct Elapsed {
  double device_seconds = 0;  // by the device's own clock
  double host_seconds = 0;    // from enqueueing to completion
  // What should have been enqueued ahead was not: gaps between the launches may be the host's.
  bool gave_up = false;
};

// A device that will not answer again: the process saves what it has and ends.
struct DeviceLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A device has no room for what a Run needs beside its operands.
struct OutOfMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Device {
 public:
  virtual ~Device() = default;

  virtual const DeviceInfo& info() const = 0;
  virtual std::int64_t free_bytes() const = 0;
  virtual Elapsed time(Run& run, const Window& window) = 0;
  virtual HostTensor read(const Tensor& tensor) = 0;  // waits for queued work
  // The same until a launch writes to it: no copy where its memory is the host's.
  virtual HostTensor look_at(const Tensor& tensor) { return read(tensor); }
  // Whether buffers of these sizes can be there at once, found by allocating them; nothing where that
  // proves nothing, as on a host that gives room only to what is written.
  virtual std::optional<bool> holds(std::span<const std::int64_t> /*sizes*/) { return {}; }
  virtual Telemetry telemetry() { return {.missing = "no sensors"}; }
};

// portable: one source for every device. tuned: written for one architecture. library: the
// vendor's. best: of a step alone, each of whose operations has its fastest kernel of any tier.
enum class Tier { portable, tuned, library, best };
std::string_view name(Tier tier);
std::optional<Tier> parse_tier(std::string_view text);

// A kernel's answer to a problem. foreign: another operation's kernel, which makes no row at all.
struct Support {
  enum Answer { yes, no, foreign } answer = yes;
  std::string reason;  // of a no
};

// One row of a table that stands beside the code it names.
struct Kernel {
  std::string_view name;
  Tier tier = Tier::portable;
  Support (*supports)(const Problem&, const DeviceInfo&) = nullptr;
  std::unique_ptr<Run> (*prepare)(Device&, const Problem&, const Inputs&) = nullptr;
  bool reads_b_ahead = false;  // when it is prepared: right only while B stays as it is
};

// The devices of a backend, and where there are none, why.
struct Found {
  std::vector<std::unique_ptr<Device>> devices;
  std::string absence;
};

// Data, not a base class. open() finds nothing without a driver or a device: never an error.
struct Backend {
  std::string_view name;
  std::vector<Kernel> kernels;
  Found (*open)() = nullptr;
};

std::span<const Backend> backends();  // registry.cpp

// Bytes a Run of `inputs.copies` operand sets takes on a device, guard bands included.
std::int64_t footprint(const Problem& problem, const Inputs& inputs);

// A kernel's row from functions of one concrete device and problem type:
//   Support supports(const P&, const DeviceInfo&);
//   std::unique_ptr<Run> prepare(D&, const P&, const Inputs&);
template <auto supports, auto prepare>
constexpr Kernel kernel(std::string_view name, Tier tier) {
  return []<class D, class P>(std::string_view n, Tier t,
                              std::unique_ptr<Run> (*)(D&, const P&, const Inputs&)) {
    return Kernel{n, t,
                  [](const Problem& problem, const DeviceInfo& info) {
                    const auto* p = std::get_if<P>(&problem);
                    return p ? supports(*p, info) : Support{Support::foreign, {}};
                  },
                  [](Device& device, const Problem& problem, const Inputs& inputs) {
                    return prepare(static_cast<D&>(device), std::get<P>(problem), inputs);
                  }};
  }(name, tier, prepare);
}

}  // namespace steelyard
