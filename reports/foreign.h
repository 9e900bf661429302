// SPDX-License-Identifier: Apache-2.0
// Result files of other programs, as one run each.
#pragma once

#include <string_view>

#include "reports/series.h"

namespace steelyard {

enum class FileFormat { steelyard, google_benchmark, nvbench };

// By the members that only one of them has; reads no further than it must. Throws FileError for a
// file of none of them.
FileFormat format_of(std::string_view text, const std::filesystem::path& file);

// Rows are the `run_name`s. A value is the trimmed mean of the repetitions in the file; metrics are
// time (real_time), cpu_time and every counter.
RunSet read_google_benchmark(std::string_view text, const std::filesystem::path& file);

// Rows are "<benchmark> <state>". The time is the trimmed mean of the samples where the file's
// binary companion (--jsonbin) is there, else the mean: of cold launches, where there are none of
// batches, then of the CPU.
RunSet read_nvbench(std::string_view text, const std::filesystem::path& file);

}  // namespace steelyard
