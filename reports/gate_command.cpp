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
#include "reports/output.h"
#include "reports/render.h"
#include "reports/replace_file.h"

namespace steelyard {
namespace {

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
    while (runs_.pairs() == 0 || !open_.empty()) {
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
    const std::string unfinished = fmt::format("the budget was spent after {} runs", runs_.pairs());
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
    if (!open_.empty()) text += fmt::format(", {} rows undecided", open_.size());
    if (each > 0)
      text += fmt::format(", {:.0f} s to the next look at least, {:.0f} s at most in all",
                          each * pairs_left(),
                          each * (looks.back().runs + confirmation.runs - runs_.pairs()));
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

void write_reports(const Changes& changes, const std::filesystem::path& folder) {
  replace_file(folder / "report.md", markdown_of(changes));
  replace_file(folder / "report.json", json_of(changes));
  replace_file(folder / "junit.xml", junit_of(changes));
}

int run_gate(const GateOptions& options) {
  const CompareRules rules = read_rules(options.compare);
  const SignalForwarding forwarding;
  Gate gate(options, rules);
  gate.run();
  write_reports(gate.changes(), options.compare.output);
  write_output(written(gate.changes(), options.compare.format), {});
  return exit_code(gate.changes(), options.compare.inconclusive == "fail");
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
