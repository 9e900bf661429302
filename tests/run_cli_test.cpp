// SPDX-License-Identifier: Apache-2.0
// `steelyard run`, with scripts for bench programs beside it.
#include <algorithm>

#include "tests/catch.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

// Lists one problem, writes its arguments where --json says, and leaves in a way of its own.
std::string bench(const std::string& ending) {
  return R"(
case "$*" in *--list*) echo problem; exit 0;; esac
while [ "$1" != --json ]; do all="$all$1 "; shift; done
echo "$all" > "$2"
)" + ending;
}

// Has no problem to list.
const std::string idle = "case \"$*\" in *--list*) exit 0;; esac\nexit 99\n";

struct Installed : Sandbox {
  Installed() { fs::copy_file(STEELYARD, *this / "steelyard"); }

  void with(const std::string& family, const std::string& script) const {
    write_script("steelyard-" + family, script);
  }
  Outcome run(const std::string& options = "") const {
    return shell("./steelyard run -o out " + options);
  }
};

std::ptrdiff_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

int exit_code_of(const std::string& first, const std::string& second) {
  const Installed installed;
  installed.with("gemm", bench(first));
  installed.with("memory", bench(second));
  return installed.run().exit_code;
}

TEST_CASE("every bench program writes its file into one folder") {
  const Installed installed;
  installed.with("gemm", bench("exit 0"));
  installed.with("memory", bench("exit 0"));
  const Outcome outcome = installed.run("--suite gate --filter 'a b'");
  CHECK(outcome.exit_code == 0);
  CHECK(contents(installed / "out/steelyard-gemm.json") == "--suite gate --filter a b \n");
  CHECK(contents(installed / "out/steelyard-memory.json") == "--suite gate --filter a b \n");
  CHECK(outcome.errors == "Results are in out; read them with: steelyard report out\n");
}

TEST_CASE("the exit code is the strongest of the programs' codes") {
  CHECK(exit_code_of("exit 0", "exit 0") == 0);
  const std::string weakest_first[] = {"exit 5", "exit 1", "exit 3", "exit 6", "exit 4", "exit 2"};
  for (std::size_t i = 0; i + 1 < std::size(weakest_first); ++i) {
    const int stronger = weakest_first[i + 1].back() - '0';
    CHECK(exit_code_of(weakest_first[i], weakest_first[i + 1]) == stronger);
    CHECK(exit_code_of(weakest_first[i + 1], weakest_first[i]) == stronger);
  }
  CHECK(exit_code_of("exit 2", "exit 130") == 130);
}

TEST_CASE("a failed program does not keep the next from running") {
  const Installed installed;
  installed.with("gemm", bench("exit 6"));
  installed.with("memory", bench("exit 0"));
  CHECK(installed.run().exit_code == 6);
  CHECK(fs::exists(installed / "out/steelyard-memory.json"));
}

TEST_CASE("an interrupted program ends the run") {
  const Installed installed;
  installed.with("gemm", bench("exit 130"));
  installed.with("memory", bench("exit 0"));
  CHECK(installed.run().exit_code == 130);
  CHECK_FALSE(fs::exists(installed / "out/steelyard-memory.json"));
}

TEST_CASE("a killed program counts as a device that was lost") {
  const Installed installed;
  installed.with("gemm", bench("kill -KILL $$"));
  const Outcome outcome = installed.run();
  CHECK(outcome.exit_code == 6);
  CHECK(outcome.errors.starts_with("steelyard: steelyard-gemm was killed by signal 9"));
  CHECK(fs::exists(installed / "out/steelyard-gemm.json"));
}

TEST_CASE("a family without a matching problem is skipped when another has one") {
  const Installed installed;
  installed.with("gemm", idle);
  installed.with("memory", bench("exit 0"));
  const Outcome outcome = installed.run("--filter triad");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.errors.starts_with("steelyard: skipped steelyard-gemm: no row matches\n"));
  CHECK_FALSE(fs::exists(installed / "out/steelyard-gemm.json"));
  CHECK(fs::exists(installed / "out/steelyard-memory.json"));
}

TEST_CASE("a run that matches nothing is refused in one line") {
  const Installed installed;
  installed.with("gemm", idle);
  installed.with("memory", idle);
  const Outcome outcome = installed.run("--filter nonsense");
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.output.empty());
  CHECK(lines(outcome.errors) == 1);
  CHECK_FALSE(fs::exists(installed / "out"));
}

TEST_CASE("programs that refuse a run for different reasons are each heard") {
  const Installed installed;
  installed.with("gemm", "echo 'steelyard-gemm: no axis op' >&2; exit 2");
  installed.with("memory", "echo 'steelyard-memory: frob is no op' >&2; exit 2");
  const Outcome outcome = installed.run("-a op=frob");
  CHECK(outcome.exit_code == 2);
  CHECK(lines(outcome.errors) == 2);
  CHECK(outcome.errors.find("steelyard-memory: frob is no op") != std::string::npos);
}

TEST_CASE("without bench programs a run says what to install") {
  const Outcome outcome = Installed().run();
  CHECK(outcome.exit_code == 2);
  CHECK(lines(outcome.errors) == 1);
  CHECK(outcome.errors.find("steelyard-gemm") != std::string::npos);
}

TEST_CASE("options that name one file are refused") {
  const Installed installed;
  installed.with("gemm", bench("exit 0"));
  const Outcome outcome = installed.run("--json x.json");
  CHECK(outcome.exit_code == 2);
  CHECK(lines(outcome.errors) == 1);
  CHECK_FALSE(fs::exists(installed / "out"));
}

TEST_CASE("a folder that cannot be made is refused in one line") {
  const Installed installed;
  installed.with("gemm", bench("exit 0"));
  installed.write("out", "a file");
  const Outcome outcome = installed.run();
  CHECK(outcome.exit_code == 2);
  CHECK(lines(outcome.errors) == 1);
  CHECK(contents(installed / "out") == "a file");
}

TEST_CASE("the list of a run writes nothing") {
  const Installed installed;
  installed.with("gemm", bench("exit 0"));
  const Outcome outcome = installed.run("--list");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.output == "problem\n");
  CHECK_FALSE(fs::exists(installed / "out"));
}

TEST_CASE("an interrupt reaches the running program, and finished files stay") {
  const Installed installed;
  installed.with("gemm", bench("exit 0"));
  // Waits for its trap; the pipe tells that it stands.
  installed.with("memory", bench(R"(
trap 'kill $!; echo saved >> out/steelyard-memory.json; exit 130' INT
sleep 600 >/dev/null 2>&1 &
echo ready > started
wait $!
)"));
  const Outcome outcome = installed.shell(R"(
mkfifo started
./steelyard run -o out &
read ready < started
kill -INT $!
wait $!
)");
  CHECK(outcome.exit_code == 130);
  CHECK(fs::exists(installed / "out/steelyard-gemm.json"));
  CHECK(contents(installed / "out/steelyard-memory.json").ends_with("saved\n"));
}

}  // namespace
}  // namespace steelyard
