// SPDX-License-Identifier: Apache-2.0
// The commands of the program `steelyard`. Each returns the exit code of the program and writes
// what went wrong as one line on stderr.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace steelyard {

struct ReportOptions {
  std::vector<std::filesystem::path> results;
  std::string reference;
  std::filesystem::path claims;  // beside those of data/claims.toml; empty: none
  std::string format = "md";     // html, csv
  std::filesystem::path output;  // empty: stdout
  std::filesystem::path prices;  // empty: nothing is said of costs
  std::string group_by;          // "label.KEY"; empty: each result is its own side
  bool embed = false;            // the result files, into HTML
};

int report(const ReportOptions& options);

struct PublishedOptions {
  std::vector<std::string> references = {"H100-SXM5-80GB", "A100-SXM4-80GB"};
  std::string format = "md";     // or html
  std::filesystem::path output;  // empty: stdout
};

int show_published(const PublishedOptions& options);

struct RunOptions {
  std::string suite = "quick";
  std::filesystem::path output;            // empty: results/<UTC>-<host>-<suite>
  std::vector<std::string> bench_options;  // passed through
};

int run(const RunOptions& options);

struct CompareOptions {
  std::filesystem::path thresholds, noise;       // empty: none
  std::vector<std::string> allowed_differences;  // fields of the conditions
  std::string inconclusive = "pass";             // or fail
  std::string format = "text";                   // md, json, junit, github
  std::filesystem::path output;                  // empty: stdout
};

int compare(const std::filesystem::path& base, const std::filesystem::path& candidate,
            const CompareOptions& options);

struct GateOptions {
  std::string baseline, candidate;         // commands
  std::filesystem::path baseline_history;  // in the place of `baseline`
  std::optional<double> budget_seconds;
  CompareOptions compare;  // its output is the folder of the runs
};

int gate(const GateOptions& options);

struct NoiseOptions {
  std::string command;
  int runs = 20;
  std::filesystem::path output;  // the card; empty: none
};

int noise(const NoiseOptions& options);

struct HistoryOptions {
  std::filesystem::path database = "history.db";
  std::vector<std::filesystem::path> results;  // of import
  std::string row;                             // of trend: a glob
};

int import_history(const HistoryOptions& options);
int rebuild_history(const HistoryOptions& options);
int show_trend(const HistoryOptions& options);
int show_changes(const HistoryOptions& options);

struct ExportOptions {
  std::filesystem::path results;
  std::string form;              // github-action, bmf or csv
  std::filesystem::path output;  // empty: stdout
};

int export_results(const ExportOptions& options);

int validate_files(const std::vector<std::filesystem::path>& files);

// One line on stderr that names the program; what an untrusted file brings into it cannot drive a
// terminal.
void complain(const std::string& message);

}  // namespace steelyard
