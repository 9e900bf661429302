// SPDX-License-Identifier: Apache-2.0
// The commands of the program `steelyard`. Each returns the exit code of the program and writes
// what went wrong as one line on stderr.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace steelyard {

struct ReportOptions {
  std::vector<std::filesystem::path> results;
  std::string reference;
  std::string format = "md";     // or csv
  std::filesystem::path output;  // empty: stdout
};

int report(const ReportOptions& options);

struct RunOptions {
  std::string suite = "quick";
  std::filesystem::path output;            // empty: results/<UTC>-<host>-<suite>
  std::vector<std::string> bench_options;  // passed through
};

int run(const RunOptions& options);

int validate_files(const std::vector<std::filesystem::path>& files);

// One line on stderr that names the program; what an untrusted file brings into it cannot drive a
// terminal.
void complain(const std::string& message);

}  // namespace steelyard
