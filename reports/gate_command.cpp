// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include "reports/child.h"
#include "reports/compare_rules.h"
#include "reports/compare_tables.h"
#include "reports/exit_code.h"
#include "reports/gate.h"
#include "reports/gate_runs.h"
#include "reports/history.h"
#include "reports/output.h"
#include "reports/render.h"
#include "reports/replace_file.h"

namespace steelyard {
namespace {

constexpr int most_runs = looks.back().runs + confirmation.runs;  // a side

// Runs pairs until every row is decided or time is up, and keeps the verdicts that follow.
class Gate {
 public:
  Gate(const GateOptions& options, const CompareRules& rules)
      : options_(options),
        rules_(rules),
        runs_(options.compare.output, {options.baseline, options.candidate}) {
    if (runs_.pairs() > 0) {
      complain(fmt::format("{} pairs of runs are in {} already", runs_.pairs(),
                           options.compare.output.string()));
      judge();
    }
  }

  void run() {
    while (runs_.pairs() == 0 || (!open_.empty() && runs_.pairs() < most_runs)) {
      if (runs_.pairs() > 0 && !time_for_another()) return;
      tell();
      runs_.run_pair(open_);
      judge();
    }
  }

  const Changes& changes() const { return changes_; }

 private:
  void judge() {
    base_ = runs_.load(GateRuns::base);
    candidate_ = runs_.load(GateRuns::candidate);
    const std::string unfinished =
        runs_.pairs() < most_runs ? fmt::format("the budget was spent after {} runs", runs_.pairs())
                                  : std::string("some runs lack the row");
    changes_ = judge_gate(base_, candidate_, rules_, unfinished, open_);
    if (changes_.rows.empty() && changes_.not_measured.empty())
      throw RunFailed("the two programs share no row", incomparable);
  }

  double spent() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  bool time_for_another() const {
    return !options_.budget_seconds ||
           spent() + runs_.seconds_per_pair() <= *options_.budget_seconds;
  }

  // The fewest pairs that are left: to the next look of the test.
  int pairs_left() const {
    for (const Look& look : looks)
      if (runs_.pairs() < look.runs) return look.runs - runs_.pairs();
    return confirmation.runs - (runs_.pairs() - looks.front().runs) % confirmation.runs;
  }

  void tell() const {
    const double each = runs_.seconds_per_pair();
    std::string text = fmt::format("pair {} of runs", runs_.pairs() + 1);
    if (!open_.empty())
      text += fmt::format(": {} {} undecided", open_.size(), open_.size() == 1 ? "row" : "rows");
    if (each > 0)
      text += fmt::format("; {} to the next look, {} at most in all", duration(each * pairs_left()),
                          duration(each * (most_runs - runs_.pairs())));
    std::fprintf(stderr, "steelyard: %s\n", text.c_str());
  }

  const GateOptions& options_;
  const CompareRules& rules_;
  GateRuns runs_;
  RunSet base_, candidate_;  // changes_ points into them
  Changes changes_;
  std::set<std::string> open_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

int conclude(const Changes& changes, const CompareOptions& options) {
  replace_file(options.output / "report.md", markdown_of(changes));
  replace_file(options.output / "report.json", json_of(changes));
  replace_file(options.output / "junit.xml", junit_of(changes));
  write_output(written(changes, options.format), {});
  return exit_code(changes, options.inconclusive == "fail");
}

// What is stored of the candidate's rows under its conditions.
RunSet stored_runs(const std::filesystem::path& database, const RunSet& candidate) {
  const History history(database, Database::read);
  RunSet stored{.name = database.string()};
  for (const Series& series : candidate.series) {
    if (series.metric != "time") continue;
    Series before = series;
    before.values.clear();
    before.clocks_hz.clear();
    const std::string conditions =
        series.conditions.empty() ? std::string() : series.conditions.front()->key;
    for (const HistoryPoint& point : history.points(series.row, conditions))
      before.values.push_back(point.value);
    if (!before.values.empty()) stored.series.push_back(std::move(before));
  }
  return stored;
}

int gate_against_history(const GateOptions& options, const CompareRules& rules) {
  constexpr int runs = looks.front().runs;
  claim_folder(options.compare.output, {options.baseline_history, options.candidate});
  std::vector<std::filesystem::path> files;
  for (int run = 1; run <= runs; ++run) {
    std::fprintf(stderr, "steelyard: run %d of %d\n", run, runs);
    files.push_back(options.compare.output / fmt::format("candidate-{:03}.json", run));
    run_into(files.back(), options.candidate, {}, fmt::format("candidate run {}", run));
  }
  const RunSet candidate = load_runs(files, options.candidate);
  const RunSet stored = stored_runs(options.baseline_history, candidate);
  complain(
      "days differ by more than runs of one day: `detectable` says which changes are found; an old "
      "program as --baseline finds smaller ones");
  return conclude(judge_against_history(stored, candidate, rules), options.compare);
}

int run_gate(const GateOptions& options) {
  if (options.baseline.empty() && options.baseline_history.empty())
    throw std::invalid_argument(
        "name what the candidate is compared with: --baseline 'CMD ...' or "
        "--baseline-history DB");
  const CompareRules rules = read_rules(options.compare);
  const SignalForwarding forwarding;
  if (!options.baseline_history.empty()) return gate_against_history(options, rules);
  Gate gate(options, rules);
  gate.run();
  return conclude(gate.changes(), options.compare);
}

}  // namespace

int gate(const GateOptions& options) try {
  return run_gate(options);
} catch (const RunInterrupted&) {
  complain(fmt::format("interrupted; the same command goes on with the runs in {}",
                       options.compare.output.string()));
  return interrupted;
} catch (const RunFailed& error) {
  complain(error.what());
  return error.exit_code;
} catch (const std::exception& error) {  // files, commands
  complain(error.what());
  return usage_error;
}

}  // namespace steelyard
