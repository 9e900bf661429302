// SPDX-License-Identifier: Apache-2.0
// `steelyard compare`, `gate` and `noise` as a CI job meets them, with a program in the place of
// benchmarks whose times are scripted.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

const std::string program = "'" STEELYARD "' ";

// "bench NAME FACTOR [CRASH_AT]": notes its calls in calls.txt; has the rows BM_a, FACTOR times as
// slow, and BM_b(1.0). Understands Google Benchmark's options.
constexpr const char* bench = R"(name=$1 factor=$2 crash=$3
out= filter=.
for word; do
  case $word in
    --benchmark_out=*) out=${word#*=} ;;
    --benchmark_filter=*) filter=${word#*=} ;;
  esac
done
echo "$name $filter" >> calls.txt
n=$(wc -l < calls.txt)
if [ "$n" = "$crash" ]; then kill -INT $PPID; sleep 5; fi
{
  echo '{"context": {"date": "2026-01-0'$n'"}, "benchmarks": ['
  separator=
  for row in "BM_a $factor" "BM_b(1.0) 1"; do
    if echo "${row% *}" | grep -Eq -- "$filter"; then
      echo "$separator" "${row#* } $n" | awk -v row="${row% *}" '{
        printf "%s{\"name\": \"%s\", \"run_name\": \"%s\", \"run_type\": \"iteration\",", ($1 == ",") ? "," : "", row, row
        f = ($1 == ",") ? $2 : $1; i = ($1 == ",") ? $3 : $2
        printf "\"real_time\": %.6f, \"cpu_time\": 1, \"time_unit\": \"ns\"}\n", 1000 * f * (1 + 0.001 * (i % 3 - 1)) }'
      separator=,
    fi
  done
  echo ']}'
} > "$out"
)";

class Ci {
 public:
  Ci() { sandbox.write_script("bench", bench); }

  Outcome gate(const std::string& factor, const std::string& options = "",
               const std::string& crash = "") const {
    return sandbox.shell(
        fmt::format("{}gate --baseline './bench old 1' --candidate './bench new {} {}' "
                    "-o gate {}",
                    program, factor, crash, options));
  }
  std::vector<std::string> calls() const {
    std::vector<std::string> lines;
    std::string text = contents(sandbox / "calls.txt");
    for (std::size_t at; (at = text.find('\n')) != text.npos; text.erase(0, at + 1))
      lines.push_back(text.substr(0, at));
    return lines;
  }
  nlohmann::json report() const {
    return nlohmann::json::parse(contents(sandbox / "gate/report.json"));
  }

  Sandbox sandbox;
};

std::string verdict(const nlohmann::json& report, const std::string& row) {
  for (const auto& one : report.at("rows"))
    if (one.at("row") == row && one.at("metric") == "time") return one.at("verdict");
  return "absent";
}

TEST_CASE("an unchanged program passes after five runs a side, taken in turn") {
  const Ci ci;
  const Outcome outcome = ci.gate("1");
  INFO(outcome.errors);
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, ContainsSubstring("0 of 2 rows regressed; 2 passed."));
  CHECK(ci.calls() ==
        std::vector<std::string>{"old .", "new .", "new ^(BM_a|BM_b\\(1\\.0\\))$",
                                 "old ^(BM_a|BM_b\\(1\\.0\\))$", "old ^(BM_a|BM_b\\(1\\.0\\))$",
                                 "new ^(BM_a|BM_b\\(1\\.0\\))$", "new ^(BM_a|BM_b\\(1\\.0\\))$",
                                 "old ^(BM_a|BM_b\\(1\\.0\\))$", "old ^(BM_a|BM_b\\(1\\.0\\))$",
                                 "new ^(BM_a|BM_b\\(1\\.0\\))$"});
  CHECK(verdict(ci.report(), "BM_a") == "pass");
  CHECK(fs::exists(ci.sandbox / "gate/junit.xml"));
  CHECK(fs::exists(ci.sandbox / "gate/report.md"));
}

TEST_CASE("a regression is confirmed by ten fresh runs a side of its row alone") {
  const Ci ci;
  const Outcome outcome = ci.gate("1.05", "--format github");
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.output,
             ContainsSubstring("::error title=Performance regression::BM_a, time: +5.0"));
  CHECK(verdict(ci.report(), "BM_a") == "regression");
  CHECK(verdict(ci.report(), "BM_b(1.0)") == "pass");
  CHECK(ci.calls().size() == 30);
  CHECK(ci.calls()[10].ends_with(" ^(BM_a)$"));
}

TEST_CASE("an interrupted gate goes on where it was") {
  const Ci ci;
  const Outcome cut = ci.gate("1", "", "7");
  CHECK(cut.exit_code == 130);
  CHECK_THAT(cut.errors, ContainsSubstring("goes on"));
  CHECK(ci.calls().size() == 7);
  const Outcome outcome = ci.gate("1", "", "7");
  INFO(outcome.errors);
  CHECK(outcome.exit_code == 0);
  CHECK(ci.calls().size() == 11);  // the one that was cut is made again
}

TEST_CASE("a gate that is done says the same again without a run") {
  const Ci ci;
  const Outcome first = ci.gate("1.05"), again = ci.gate("1.05");
  CHECK(again.exit_code == 1);
  CHECK(again.output == first.output);
  CHECK(ci.calls().size() == 30);
}

TEST_CASE("runs of other commands are not taken for these") {
  const Ci ci;
  ci.gate("1");
  const Outcome outcome = ci.gate("1.05");
  CHECK(outcome.exit_code == 2);
  CHECK_THAT(outcome.errors, ContainsSubstring("belongs to another candidate command"));
}

TEST_CASE("what the budget leaves open is inconclusive") {
  const Ci ci;
  const Outcome outcome = ci.gate("1", "--budget 0s --inconclusive fail");
  CHECK(outcome.exit_code == 5);
  CHECK_THAT(outcome.output, ContainsSubstring("the budget was spent after 1 runs"));
  CHECK(ci.calls().size() == 2);
}

TEST_CASE("a command that leaves no result, cannot start or cannot be read ends the gate") {
  const Ci ci;
  const auto gate = [&](const std::string& baseline) {
    fs::remove_all(ci.sandbox / "gate");
    return ci.sandbox.shell(program + "gate -o gate --candidate './bench new 1' --baseline \"" +
                            baseline + "\"");
  };
  const Outcome silent = gate("sh -c 'echo broken >&2; exit 3'");
  CHECK(silent.exit_code == 6);
  CHECK_THAT(silent.errors,
             ContainsSubstring("baseline run 1 ended with 3") && ContainsSubstring("broken"));
  const Outcome killed = gate("sh -c 'kill -SEGV \\$\\$'");
  CHECK(killed.exit_code == 6);
  CHECK_THAT(killed.errors, ContainsSubstring("signal 11"));
  CHECK(gate("./absent").exit_code == 2);
  CHECK(gate("./bench 'old").exit_code == 2);
  CHECK(gate("cp /dev/null {out}").exit_code == 2);
  CHECK(std::ranges::count(gate("./absent").errors, '\n') == 2);  // what it does, what failed
}

TEST_CASE("a candidate can be gated against stored runs, which find less") {
  const Ci ci;
  const auto gate = [&](const std::string& folder, const std::string& factor) {
    return ci.sandbox.shell(program + "gate --baseline-history h.db --candidate './bench new " +
                            factor + "' -o " + folder + " --inconclusive fail");
  };
  ci.gate("1");
  CHECK(ci.sandbox.shell(program + "history import gate/baseline --db h.db").exit_code == 0);
  CHECK(gate("same", "1").exit_code == 0);
  const Outcome slower = gate("slower", "1.1");
  CHECK(slower.exit_code == 1);
  CHECK_THAT(slower.errors, ContainsSubstring("--baseline finds smaller ones"));
  CHECK(fs::exists(ci.sandbox / "slower/report.json"));
  CHECK(ci.sandbox.shell(program + "gate --candidate './bench new 1'").exit_code == 2);
}

TEST_CASE("four stored values are too few to gate against") {
  const Ci ci;
  ci.gate("1");
  ci.sandbox.shell("rm gate/baseline/005.json");
  ci.sandbox.shell(program + "history import gate/baseline --db h.db");
  const Outcome outcome = ci.sandbox.shell(
      program +
      "gate --baseline-history h.db --candidate './bench new 1' -o g --inconclusive fail");
  CHECK(outcome.exit_code == 5);
  CHECK_THAT(outcome.output, ContainsSubstring("4 stored values: 5 are needed"));
}

TEST_CASE("the places of result and filter are filled in where the command names them") {
  const Ci ci;
  ci.sandbox.write_script("own",
                          "exec ./bench \"$1\" 1 --benchmark_out=$2 --benchmark_filter=\"$3\"");
  const Outcome outcome = ci.sandbox.shell(
      program +
      "gate -o gate --baseline './own old {out} {filter}' --candidate './own new {out} {filter}'");
  INFO(outcome.errors);
  CHECK(outcome.exit_code == 0);
  CHECK(ci.calls().front() == "old .");
  CHECK(ci.calls().back() == "new ^(BM_a|BM_b\\(1\\.0\\))$");
}

TEST_CASE("compare takes files and folders and writes every form") {
  const Ci ci;
  ci.gate("1.05");
  const std::string sides = "compare gate/baseline gate/candidate ";
  const Outcome text = ci.sandbox.shell(program + sides);
  CHECK(text.exit_code == 1);
  CHECK_THAT(text.output, ContainsSubstring("1 of 2 rows regressed"));
  CHECK(ci.sandbox.shell(program + sides + "--format md -o c.md").exit_code == 1);
  CHECK_THAT(contents(ci.sandbox / "c.md"),
             ContainsSubstring("| BM\\_a") || ContainsSubstring("| BM_a"));
  CHECK(nlohmann::json::parse(ci.sandbox.shell(program + sides + "--format json").output)
            .at("exit_code") == 1);
  ci.sandbox.write("t.toml", "[[rule]]\nrow = \"BM_a\"\naction = \"warn\"\n");
  CHECK(ci.sandbox.shell(program + sides + "--thresholds t.toml").exit_code == 0);
  ci.sandbox.write("t.toml", "[[rule]]\nrov = \"BM_a\"\n");
  const Outcome refused = ci.sandbox.shell(program + sides + "--thresholds t.toml");
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.errors, ContainsSubstring("t.toml: line 2"));
}

TEST_CASE("the noise of a program becomes a card that compare takes") {
  const Ci ci;
  const Outcome outcome = ci.sandbox.shell(program + "noise './bench x 1' --runs 12 -o noise.json");
  INFO(outcome.errors);
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.output, ContainsSubstring("BM_b(1.0)"));
  CHECK(ci.calls().size() == 12);
  // 0.999, 1, 1.001 in turn.
  const auto card = nlohmann::json::parse(contents(ci.sandbox / "noise.json"));
  CHECK(card.at("rows").at(0).at("deviation").get<double>() == Approx(0.000853).margin(1e-5));
  ci.gate("1");
  CHECK(ci.sandbox.shell(program + "compare gate/baseline gate/candidate --noise noise.json")
            .exit_code == 0);
}

}  // namespace
}  // namespace steelyard
