// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "reports/commands.h"
#include "reports/exit_code.h"
#include "reports/record.h"
#include "reports/render.h"

namespace steelyard {

void complain(const std::string& message) {
  std::fprintf(stderr, "steelyard: %s\n", printable(message).c_str());
}

namespace {

constexpr const char* run_examples =
    R"(All other options go to the bench programs: see steelyard-gemm --help.

Examples:
  steelyard run                               the quick suite, into results/
  steelyard run --suite full -o out           everything, into out/
  steelyard run -o out --filter triad         only the problems that match
  steelyard run --list                        what would be measured
)";

constexpr const char* report_examples = R"(Examples:
  steelyard report out                        one result as Markdown
  steelyard report out/steelyard-gemm.json    one file of it
  steelyard report out --format csv -o out.csv
                                              every value, in SI units
  steelyard report h200 mi300x --reference h200 -o comparison.md
                                              how fast each is relative to h200

Exit codes: 0; 2 when a file cannot be read or written; 3 when nothing is comparable.
)";

constexpr const char* validate_examples = R"(Examples:
  steelyard validate out/*.json               are these result files?
)";

constexpr const char* examples = R"(Examples:
  steelyard run -o out                        measure everything
  steelyard report out                        read it
  steelyard report h200 mi300x                two results side by side
  steelyard COMMAND --help                    more
)";

int main(int argc, char** argv) {
  CLI::App app("Steelyard: cross-vendor GPU benchmarks.");
  app.set_version_flag(
      "--version", fmt::format("steelyard {} (result files {})", suite_version, schema_version));
  app.footer(examples);
  app.require_subcommand(1);

  RunOptions run_options;
  auto* run_command = app.add_subcommand("run", "run every bench program into one result folder");
  run_command->add_option("--suite", run_options.suite, "quick, gate, standard or full")
      ->capture_default_str();
  run_command->add_option("-o,--output", run_options.output,
                          "the result folder [results/<UTC>-<host>-<suite>]");
  run_command->allow_extras();
  run_command->footer(run_examples);

  ReportOptions report_options;
  auto* report_command =
      app.add_subcommand("report", "tables of one result, or of several side by side");
  report_command->add_option("RESULT", report_options.results, "result files or folders of them")
      ->required();
  report_command->add_option("--reference", report_options.reference,
                             "the device or result that ratios refer to [the first]");
  report_command->add_option("--format", report_options.format, "md or csv")
      ->check(CLI::IsMember({"md", "csv"}))
      ->capture_default_str();
  report_command->add_option("-o,--output", report_options.output, "a file [stdout]");
  report_command->footer(report_examples);

  std::vector<std::filesystem::path> files;
  auto* validate_command = app.add_subcommand("validate", "check result files against the schema");
  validate_command->add_option("FILE", files, "result files")->required();
  validate_command->footer(validate_examples);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    complain(fmt::format("{}; see steelyard --help", error.what()));
    return usage_error;
  }
  if (*run_command) {
    run_options.bench_options = run_command->remaining();
    return run(run_options);
  }
  return *report_command ? report(report_options) : validate_files(files);
}

}  // namespace
}  // namespace steelyard

int main(int argc, char** argv) {
  return steelyard::main(argc, argv);
}
