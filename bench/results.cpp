// SPDX-License-Identifier: Apache-2.0
#include "bench/results.h"

#include <fmt/format.h>

#include <filesystem>

#include "reports/chrome_trace.h"
#include "reports/render.h"
#include "reports/replace_file.h"

namespace steelyard {
namespace {

Table table_of(const ResultFile& file) {
  Table table = {.columns = {{"row", Align::left},
                             {"repetition"},
                             {"status", Align::left},
                             {"median [s]"},
                             {"ci95 lower [s]"},
                             {"ci95 upper [s]"},
                             {"samples"},
                             {"FLOP/s"},
                             {"bytes/s"},
                             {"reason", Align::left}}};
  for (const Record& record : file.records) {
    const Timing& t = record.timing;
    const auto number = [&](double value) {
      return record.status == Status::ok ? fmt::format("{}", value) : std::string();
    };
    table.rows.push_back(
        {key(record), fmt::format("{}", record.repetition), std::string(name(record.status)),
         number(t.median_seconds), number(t.ci95_seconds.lower), number(t.ci95_seconds.upper),
         fmt::format("{}", t.samples_seconds.size()), number(record.flops / t.median_seconds),
         number(record.bytes / t.median_seconds), record.reason});
  }
  return table;
}

void create_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw FileError(fmt::format("{}: the folder cannot be made ({}); choose another with --json",
                                folder.string(), error.message()));
}

}  // namespace

Results::Results(const Options& options, std::string json, Repetition repetition, Context context)
    : json_(std::move(json)),
      csv_(options.csv),
      trace_(options.trace),
      repetition_(repetition),
      file_{.context = std::move(context)} {
  create_folder_of(json_);
  if (repetition_.index > 0) file_ = read_results(json_);
  write();
}

void Results::describe(Context context) {
  if (repetition_.index > 0) return;
  file_.context = std::move(context);
  write();
}

void Results::add(Record record) {
  record.repetition = repetition_.index;
  record.repetitions = repetition_.total;
  file_.records.push_back(std::move(record));
  write();
}

void Results::write() const {
  write_results(json_, file_);
  if (!csv_.empty()) replace_file(csv_, csv(table_of(file_)));
  if (!trace_.empty()) replace_file(trace_, chrome_trace(file_.records));
}

}  // namespace steelyard
