// SPDX-License-Identifier: Apache-2.0
// Datasheet facts of GPUs by device name, from data/gpus.json, which is compiled in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/record.h"

namespace steelyard {

// One fact: dense (no structured sparsity), of the unit the Spec is for.
struct Fact {
  double value = 0;  // SI: FLOP/s, bytes, bytes/s, Hz, W
  std::string source;
  std::string confidence;       // primary: the vendor's own page; secondary: someone repeating it
  std::optional<double> clock;  // of a peak: what it takes to reach it [Hz]; absent if unknown
};

// One device as a driver shows it: a GPU, or one die (GCD) of a package of several.
struct Spec {
  std::string name;  // "H100-SXM5-80GB"
  std::string vendor;
  std::string unit;                // gcd or package
  int dies_per_package = 1;        // devices that the package shows as
  std::int64_t compute_units = 0;  // 0: not known
  std::optional<Fact> memory_bytes, memory_bandwidth, last_level_cache, power;
  std::vector<std::pair<std::string, Fact>>
      peaks;  // by dtype: "bf16", "fp8_e4m3", "f64" (matrix units where it has them)

  const Fact* peak(std::string_view dtype) const;  // null when the type is not supported
};

// The spec that has this device name; an "emulated " prefix is ignored. Of two products with one name the
// one with so many compute units, else the smaller. Null when unknown.
const Spec* find_spec(std::string_view device_name, std::int64_t compute_units = 0);
const Spec* find_spec(const Record& row);

std::string vendor_of(std::string_view device_name);  // "AMD"; empty when unknown

// "NAME is MI250-GCD or MI250X-GCD: ... Taken for MI250-GCD."; empty where the row's device is one product.
std::string doubt_of_product(const Record& row);

const Spec* spec_named(std::string_view name);  // its own, as "H100-SXM5-80GB"; null when unknown
const std::vector<Spec>& specs();

// Devices that a row was measured on, as its datasheet counts them: several together, or the dies
// of a package.
double devices_of(const Record& row);

}  // namespace steelyard
