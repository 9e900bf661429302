// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <functional>
#include <map>
#include <memory>

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
  steelyard report out --format html -o out.html
                                              one file for a browser: tables to sort, charts
  steelyard report out --format csv -o out.csv
                                              every value, in SI units
  steelyard report h200 mi300x --reference h200 -o comparison.md
                                              how fast each is relative to h200
  steelyard report h200 mi300x --prices my-prices.toml
                                              and what that costs: reports/data/prices.toml has the form
  steelyard report h200 mi300x --claims my-claims.toml
                                              and whether that is true: reports/data/claims.toml has the form
  steelyard report results/* --group-by label.provider
                                              results of one --label provider=NAME together

Exit codes: 0; 2 when a file cannot be read or written; 3 when nothing is comparable.
)";

constexpr const char* published_examples = R"(Examples:
  steelyard published                         ratios to H100 and A100, claims, every value
  steelyard published --reference MI300X --format html -o published.html

Nothing of it was measured by Steelyard: reports/data/published.json has sources, dates and conditions.
)";

constexpr const char* compare_examples = R"(Examples:
  steelyard compare before after              two files or folders of runs
  steelyard compare before.json after.json    also of Google Benchmark (JSON) and nvbench
  steelyard compare a b --format junit -o junit.xml
  steelyard compare a b --thresholds t.toml --noise noise.json

A run is one process: measure each side with --repetitions 5, or better in turn with steelyard gate.
Exit codes: 0 passed; 1 a regression; 2 a file cannot be used; 3 rows that must not be compared; 4
incorrect or implausible rows; 5 inconclusive, with --inconclusive=fail; 6 failed rows.
)";

constexpr const char* gate_examples = R"(Examples:
  steelyard gate --baseline 'old/steelyard-gemm --suite gate' \
                 --candidate 'new/steelyard-gemm --suite gate' -o gate
  steelyard gate --baseline 'old/bench --json={out}' --candidate 'new/bench --json={out}' -o gate

The commands are run without a shell, in turn, each time in a fresh process: 5 to 15 times each, and
10 times more for rows that seem to regress. {out} is the result file, {filter} a regular expression of
the rows that are still open; programs of Steelyard and Google Benchmark get both by themselves. An
interrupted gate goes on when it is started again. The folder holds the runs and report.md, report.json
and junit.xml. Exit codes: as of steelyard compare; 130 when interrupted.
)";

constexpr const char* history_examples = R"(Examples:
  steelyard history import results/* --db history.db
  steelyard history trend 'gemm/bf16/*' --db history.db
  steelyard history changes --db history.db   when did a row change its level?
  steelyard history rebuild --db history.db   from the files that were imported
)";

constexpr const char* export_examples = R"(Examples:
  steelyard export out --to bmf -o bencher.json
  steelyard export out --to github-action     customSmallerIsBetter of github-action-benchmark
)";

constexpr const char* noise_examples = R"(Examples:
  steelyard noise 'build/cpu/bin/steelyard-gemm --suite gate' --runs 20 -o noise.json
  steelyard noise 'bench --json={out}'        {out} is the result file
)";

constexpr const char* validate_examples = R"(Examples:
  steelyard validate out/*.json               are these result files?
)";

constexpr const char* examples = R"(Examples:
  steelyard run -o out                        measure everything
  steelyard report out                        read it
  steelyard report h200 mi300x                two results side by side
  steelyard compare before after              did anything become slower?
  steelyard gate --baseline OLD --candidate NEW -o gate
                                              the same, measured as long as it takes to know
  steelyard COMMAND --help                    more
)";

using Action = std::function<int()>;  // of a command, once its options are read

Action add_run(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "run every bench program into one result folder");
  command->add_option("--suite", options->suite, "quick, gate, standard or full")
      ->capture_default_str();
  command->add_option("-o,--output", options->output,
                      "the result folder [results/<UTC>-<host>-<suite>]");
  command->allow_extras();
  command->footer(run_examples);
  return [command, options] {
    options->bench_options = command->remaining();
    return run(*options);
  };
}

Action add_report(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();
  auto* command = app.add_subcommand("report", "tables of one result, or of several side by side");
  command->add_option("RESULT", options->results, "result files or folders of them")->required();
  command->add_option("--reference", options->reference,
                      "the device or result that ratios refer to [the first]");
  command->add_option("--prices", options->prices,
                      "a TOML file of prices; without it nothing is said of costs");
  command->add_option("--claims", options->claims,
                      "a TOML file of claims that results are judged by, beside "
                      "reports/data/claims.toml");
  command->add_option("--group-by", options->group_by,
                      "label.KEY: results with one value of this label are one side");
  command->add_option("--format", options->format, "md, html or csv")
      ->check(CLI::IsMember({"md", "html", "csv"}))
      ->capture_default_str();
  command->add_flag("--embed", options->embed, "the HTML file holds the result files too");
  command->add_option("-o,--output", options->output, "a file [stdout]");
  command->footer(report_examples);
  return [options] { return report(*options); };
}

Action add_published(CLI::App& app) {
  auto options = std::make_shared<PublishedOptions>();
  auto* command = app.add_subcommand("published", "GPUs side by side by what others published");
  command->add_option("--reference", options->references, "the GPUs that ratios refer to")
      ->capture_default_str();
  command->add_option("--format", options->format, "md or html")
      ->check(CLI::IsMember({"md", "html"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "a file [stdout]");
  command->footer(published_examples);
  return [options] { return show_published(*options); };
}

void add_compare_options(CLI::App& command, CompareOptions& options) {
  command.add_option("--thresholds", options.thresholds,
                     "a TOML file: what change of which rows matters [3 % of every time]");
  command.add_option("--noise", options.noise, "a file of steelyard noise: floors of its rows");
  command.add_option("--allow-diff", options.allowed_differences,
                     "a condition that may differ, such as driver");
  command.add_option("--inconclusive", options.inconclusive, "pass or fail (exit code 5)")
      ->check(CLI::IsMember({"pass", "fail"}))
      ->capture_default_str();
  command.add_option("--format", options.format, "text, md, json, junit or github (annotations)")
      ->check(CLI::IsMember({"text", "md", "json", "junit", "github"}))
      ->capture_default_str();
}

Action add_compare(CLI::App& app) {
  struct Given {
    std::filesystem::path base, candidate;
    CompareOptions options;
  };
  auto given = std::make_shared<Given>();
  auto* command = app.add_subcommand("compare", "which rows became slower, faster, neither");
  command->add_option("BASE", given->base, "a result file or a folder of runs")->required();
  command->add_option("NEW", given->candidate, "what is compared with it")->required();
  add_compare_options(*command, given->options);
  command->add_option("-o,--output", given->options.output, "a file [stdout]");
  command->footer(compare_examples);
  return [given] { return compare(given->base, given->candidate, given->options); };
}

Action add_gate(CLI::App& app) {
  auto options = std::make_shared<GateOptions>();
  auto* command = app.add_subcommand("gate", "measure two programs in turn until it is clear");
  command->add_option("--baseline", options->baseline, "the command of the old program");
  command
      ->add_option("--baseline-history", options->baseline_history,
                   "or a database of steelyard history, against which less is found")
      ->excludes("--baseline");
  command->add_option("--candidate", options->candidate, "the command of the new one")->required();
  command->add_option("-o,--output", options->compare.output, "the folder of the runs")
      ->default_val("steelyard-gate");
  command
      ->add_option("--budget", options->budget_seconds,
                   "time after which open rows are inconclusive: 300s, 10m, 1h")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                CLI::AsNumberWithUnit::DEFAULT, "TIME"));
  add_compare_options(*command, options->compare);
  command->footer(gate_examples);
  return [options] { return gate(*options); };
}

Action add_noise(CLI::App& app) {
  auto options = std::make_shared<NoiseOptions>();
  auto* command = app.add_subcommand("noise", "how much a machine's runs differ by themselves");
  command->add_option("CMD", options->command, "the command of a program")->required();
  command->add_option("--runs", options->runs, "processes")
      ->check(CLI::Range(4, 1000))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "a file for compare and gate [none]");
  command->footer(noise_examples);
  return [options] { return noise(*options); };
}

Action add_history(CLI::App& app) {
  auto options = std::make_shared<HistoryOptions>();
  auto* command = app.add_subcommand("history", "values of rows over time");
  command->add_option("--db", options->database, "the database, an index of result files")
      ->capture_default_str();
  command->require_subcommand(1);
  command->fallthrough();
  command->footer(history_examples);
  auto* import = command->add_subcommand("import", "take result files in, each once");
  import->add_option("RESULT", options->results, "result files or folders of them")->required();
  auto* rebuild = command->add_subcommand("rebuild", "read all files that were imported again");
  auto* trend = command->add_subcommand("trend", "the times of rows, file by file");
  trend->add_option("ROW", options->row, "a row's key or a glob")->required();
  command->add_subcommand("changes", "where rows changed their level");
  return [=] {
    if (*import) return import_history(*options);
    if (*rebuild) return rebuild_history(*options);
    return *trend ? show_trend(*options) : show_changes(*options);
  };
}

Action add_export(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  auto* command = app.add_subcommand("export", "a result in a form that other programs chart");
  command->add_option("RESULT", options->results, "a result file or a folder of them")->required();
  command->add_option("--to", options->form, "github-action, bmf (Bencher) or csv")
      ->check(CLI::IsMember({"github-action", "bmf", "csv"}))
      ->required();
  command->add_option("-o,--output", options->output, "a file [stdout]");
  command->footer(export_examples);
  return [options] { return export_results(*options); };
}

Action add_validate(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::filesystem::path>>();
  auto* command = app.add_subcommand("validate", "check result files against the schema");
  command->add_option("FILE", *files, "result files")->required();
  command->footer(validate_examples);
  return [files] { return validate_files(*files); };
}

int main(int argc, char** argv) {
  CLI::App app("Steelyard: cross-vendor GPU benchmarks.");
  app.set_version_flag(
      "--version", fmt::format("steelyard {} (result files {})", suite_version, schema_version));
  app.footer(examples);
  app.require_subcommand(1);
  const std::map<std::string, Action> actions = {
      {"run", add_run(app)},         {"report", add_report(app)}, {"published", add_published(app)},
      {"compare", add_compare(app)}, {"gate", add_gate(app)},     {"noise", add_noise(app)},
      {"history", add_history(app)}, {"export", add_export(app)}, {"validate", add_validate(app)}};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    complain(fmt::format("{}; see steelyard --help", error.what()));
    return usage_error;
  }
  return actions.at(app.get_subcommands().front()->get_name())();
}

}  // namespace
}  // namespace steelyard

int main(int argc, char** argv) {
  return steelyard::main(argc, argv);
}
