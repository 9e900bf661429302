// SPDX-License-Identifier: Apache-2.0
#include "reports/commands.h"
#include "reports/exit_code.h"
#include "reports/export.h"
#include "reports/output.h"
#include "reports/summary.h"

namespace steelyard {

int export_results(const ExportOptions& options) try {
  const Results results = load_results(options.results);
  const auto rows = measurements(results);
  const std::string text = options.form == "bmf"   ? bencher_json(rows)
                           : options.form == "csv" ? csv(summary_data(results))
                                                   : github_action_json(rows);
  write_output(text, options.output);
  return passed;
} catch (const FileError& error) {
  complain(error.what());
  return usage_error;
}

}  // namespace steelyard
