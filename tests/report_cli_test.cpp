// SPDX-License-Identifier: Apache-2.0
// `steelyard report` and `steelyard validate` as a user meets them.
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "reports/record.h"
#include "tests/catch.h"
#include "tests/generate_results.h"
#include "tests/made_results.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

const std::string program = "'" STEELYARD "' ";

void write_rows(const Sandbox& sandbox, const std::string& name, int rows = 20) {
  write_results(sandbox / name, generate_results(rows, 7));
}

// Exit code 2, one line on stderr that names `culprit`, and nothing on stdout.
void check_usage_error(const Outcome& outcome, const std::string& culprit) {
  INFO(outcome.errors);
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.output.empty());
  CHECK(outcome.errors.starts_with("steelyard: "));
  CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1);
  CHECK(outcome.errors.find(culprit) != std::string::npos);
}

TEST_CASE("wrong usage is refused in one line") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  check_usage_error(sandbox.shell(program), "--help");
  check_usage_error(sandbox.shell(program + "frobnicate"), "--help");
  check_usage_error(sandbox.shell(program + "report"), "RESULT");
  check_usage_error(sandbox.shell(program + "report a.json --frobnicate"), "--frobnicate");
  check_usage_error(sandbox.shell(program + "report a.json --format pdf"), "pdf");
  check_usage_error(sandbox.shell(program + "report a.json --reference node"), "second");
}

TEST_CASE("a result without a measured row is named where a second one is needed") {
  const Sandbox sandbox;
  ResultFile file;
  file.records = {made({})};
  write_results(sandbox / "fine.json", file);
  file.records = {made_unmeasured({}, Status::failed, "lost")};
  write_results(sandbox / "bad.json", file);
  check_usage_error(sandbox.shell(program + "report fine.json bad.json"),
                    "bad.json has no measured row");
}

TEST_CASE("an input that cannot be read is refused in one line") {
  const Sandbox sandbox;
  write_rows(sandbox, "whole.json");
  fs::create_directory(sandbox / "empty");
  sandbox.write("text.json", "no JSON");
  const std::string whole = contents(sandbox / "whole.json");
  sandbox.write("half.json", whole.substr(0, whole.size() / 2));
  check_usage_error(sandbox.shell(program + "report absent.json"), "absent.json");
  check_usage_error(sandbox.shell(program + "report empty"), "empty");
  check_usage_error(sandbox.shell(program + "report text.json"), "text.json");
  check_usage_error(sandbox.shell(program + "report half.json"), "half.json");
  check_usage_error(sandbox.shell(program + "report whole.json half.json -o out.md"), "half.json");
  CHECK_FALSE(fs::exists(sandbox / "out.md"));
}

TEST_CASE("prices and groups that cannot be used are refused in one line") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  sandbox.write("cheap.toml", "[[rent]]\ngpu = \"H100\"\n");
  check_usage_error(sandbox.shell(program + "report a.json --prices absent.toml"), "absent.toml");
  check_usage_error(sandbox.shell(program + "report a.json --prices cheap.toml"),
                    "cheap.toml: line 2");
  check_usage_error(sandbox.shell(program + "report a.json --group-by host"), "label.KEY");
  check_usage_error(sandbox.shell(program + "report a.json --group-by label.none"), "label.none");
}

TEST_CASE("without prices nothing is said of costs") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  write_rows(sandbox, "b.json");
  for (const char* results : {"a.json", "a.json b.json"}) {
    const std::string text = sandbox.shell(program + "report " + results).output;
    CHECK_FALSE(text.empty());
    for (const char* word : {"## Speed per price", "Cost of tokens", "an hour", "USD"})
      CHECK(text.find(word) == text.npos);
  }
}

TEST_CASE("claims that cannot be read are refused in one line, with file, line and key") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  sandbox.write("claims.toml", "[[claim]]\nname = 1\n");
  check_usage_error(sandbox.shell(program + "report a.json a.json --claims claims.toml"),
                    "claims.toml: line 2: `name` must be text");
  check_usage_error(sandbox.shell(program + "report a.json --claims absent.toml"), "absent.toml");
}

TEST_CASE("a file's name cannot drive the terminal that an error is printed on") {
  const Sandbox sandbox;
  const Outcome outcome = sandbox.shell(program + "report \"$(printf 'a\\033[2Jb\\nc')\"");
  check_usage_error(outcome, "a\\x1b[2Jb\\nc");
}

TEST_CASE("an output that cannot be written is refused in one line") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  fs::create_directory(sandbox / "folder");
  check_usage_error(sandbox.shell(program + "report a.json -o absent/out.md"), "absent");
  check_usage_error(sandbox.shell(program + "report a.json -o folder"), "folder");
  const Outcome full = sandbox.shell(program + "report a.json >/dev/full");
  CHECK(full.exit_code == 2);
  CHECK(std::count(full.errors.begin(), full.errors.end(), '\n') == 1);
}

TEST_CASE("a read-only folder is refused in one line and keeps its content") {
  if (geteuid() == 0) return;  // may write anywhere
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  fs::create_directory(sandbox / "fixed");
  fs::permissions(sandbox / "fixed", fs::perms::owner_read | fs::perms::owner_exec);
  check_usage_error(sandbox.shell(program + "report a.json -o fixed/out.md"), "fixed");
  CHECK(fs::is_empty(sandbox / "fixed"));
}

TEST_CASE("a report goes to stdout or whole into the file that -o names") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  const Outcome printed = sandbox.shell(program + "report a.json");
  CHECK(printed.exit_code == 0);
  CHECK(printed.errors.empty());
  const Outcome saved = sandbox.shell(program + "report a.json -o out.md");
  CHECK(saved.exit_code == 0);
  CHECK(saved.output + saved.errors == "");
  CHECK(contents(sandbox / "out.md") == printed.output);
  CHECK(printed.output.starts_with("# Steelyard report\n"));
}

TEST_CASE("a folder is one result of all its files") {
  const Sandbox sandbox;
  fs::create_directory(sandbox / "run");
  write_rows(sandbox, "run/a.json", 10);
  sandbox.write("run/notes.txt", "not a result");
  const Outcome folder = sandbox.shell(program + "report run --format csv");
  const Outcome file = sandbox.shell(program + "report run/a.json --format csv");
  CHECK(folder.exit_code == 0);
  CHECK(folder.output == file.output);
  CHECK(std::count(file.output.begin(), file.output.end(), '\n') == 11);
}

TEST_CASE("a report names its files by SHA-256, and carries them along when asked") {
  const Sandbox sandbox;
  fs::create_directory(sandbox / "out");
  write_rows(sandbox, "out/a.json");
  const std::string hash =
      sandbox.shell("sha256sum out/a.json | cut -d' ' -f1 | tr -d '\\n'").output;
  REQUIRE(hash.size() == 64);
  const std::string plain = sandbox.shell(program + "report out --format html").output;
  CHECK(plain.find(hash) != std::string::npos);
  CHECK(sandbox.shell(program + "report out").output.find(hash) != std::string::npos);
  CHECK(plain.find(";base64,") == std::string::npos);
  CHECK(sandbox.shell(program + "report out --format html --embed -o page.html").exit_code == 0);
  const Outcome carried = sandbox.shell(
      "sed -n 's/.*;base64,\\([^\"]*\\)\".*/\\1/p' page.html | base64 -d | cmp - out/a.json");
  CHECK(carried.exit_code == 0);
}

TEST_CASE("every row of a CSV report names its file and that file's SHA-256") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  write_rows(sandbox, "b.json");
  const auto tail = [&](const std::string& file) {
    const std::string hash =
        sandbox.shell("sha256sum " + file + " | cut -d' ' -f1 | tr -d '\\n'").output;
    return "," + file + "," + hash + "\r\n";
  };
  const auto count = [](const std::string& text, const std::string& part) {
    int found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  const std::string one = sandbox.shell(program + "report a.json --format csv").output;
  CHECK(count(one, tail("a.json")) == 20);
  const std::string both = sandbox.shell(program + "report a.json b.json --format csv").output;
  CHECK(count(both, tail("a.json")) > 0);
  CHECK(count(both, tail("a.json")) == count(both, tail("b.json")));
  CHECK(2 * count(both, tail("a.json")) == std::count(both.begin(), both.end(), '\n') - 1);
}

TEST_CASE("claims are judged of one result too, when asked for") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  sandbox.write("c.toml",
                "[[claim]]\nname = \"mine\"\ntext = \"A beats B\"\ndate = 2026-01-01\n"
                "source = \"me\"\nband = [1.0, inf]\n"
                "sides = [{ gpu = \"A\" }, { gpu = \"B\" }]\n");
  const std::string report = sandbox.shell(program + "report a.json --claims c.toml").output;
  CHECK(report.find("A beats B") != std::string::npos);
  CHECK(sandbox.shell(program + "report a.json").output.find("## Claims") == std::string::npos);
  check_usage_error(sandbox.shell(program + "report a.json --claims c.toml --format csv"),
                    "--claims");
  check_usage_error(sandbox.shell(program + "report a.json --prices p.toml --format csv"),
                    "--prices");
}

TEST_CASE("a page of two thousand rows takes no more than 5 MB") {
  const Sandbox sandbox;
  for (int i = 0; i < 4; ++i)
    write_results(sandbox / fmt::format("{}.json", i), generate_results(500, 7, i));
  REQUIRE(sandbox.shell(program + "report ?.json --format html -o page.html").exit_code == 0);
  CHECK(fs::file_size(sandbox / "page.html") < 5'000'000);
  const std::string page = contents(sandbox / "page.html");
  for (const Record& row : generate_results(500, 7, 0).records)
    CHECK(page.find(row.id) != std::string::npos);
}

TEST_CASE("what was read from a pipe has no hash and cannot be carried along") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  const Outcome read = sandbox.shell("cat a.json | " + program + "report /dev/stdin");
  CHECK(read.exit_code == 0);
  CHECK(read.output.find("not known: no regular file") != std::string::npos);
  check_usage_error(
      sandbox.shell("cat a.json | " + program + "report /dev/stdin --format html --embed"),
      "/dev/stdin");
  check_usage_error(sandbox.shell(program + "report a.json --embed"), "--format html");
}

TEST_CASE("results side by side leave with 0, or with 3 when they share nothing") {
  const Sandbox sandbox;
  write_rows(sandbox, "a.json");
  write_rows(sandbox, "b.json");
  ResultFile other = generate_results(20, 7);
  for (auto& record : other.records) {
    record.id = "memory/" + record.id;
    record.family = "memory";
  }
  write_results(sandbox / "other.json", other);
  const Outcome alike = sandbox.shell(program + "report a.json b.json");
  CHECK(alike.exit_code == 0);
  CHECK(alike.errors.empty());
  const Outcome apart = sandbox.shell(program + "report a.json other.json -o out.md");
  CHECK(apart.exit_code == 3);
  CHECK(apart.errors.starts_with("steelyard: nothing comparable"));
  CHECK(std::count(apart.errors.begin(), apart.errors.end(), '\n') == 1);
  CHECK(fs::exists(sandbox / "out.md"));
}

TEST_CASE("validate tells good files from bad ones") {
  const Sandbox sandbox;
  write_rows(sandbox, "good.json");
  sandbox.write("bad.json", R"({"context": {}, "benchmarks": []})");
  const Outcome good = sandbox.shell(program + "validate good.json");
  CHECK(good.exit_code == 0);
  CHECK(good.output == "good.json: conforms\n");
  const Outcome bad = sandbox.shell(program + "validate good.json bad.json");
  CHECK(bad.exit_code == 2);
  CHECK(bad.output == "good.json: conforms\n");
  CHECK(bad.errors.find("bad.json") != std::string::npos);
  check_usage_error(sandbox.shell(program + "validate absent.json"), "absent.json");
}

TEST_CASE("help has examples and the version is known") {
  const Sandbox sandbox;
  for (const std::string command : {"", "run ", "report ", "validate "}) {
    const Outcome help = sandbox.shell(program + command + "--help");
    CHECK(help.exit_code == 0);
    CHECK(help.output.find("Examples:\n  steelyard ") != std::string::npos);
  }
  CHECK(sandbox.shell(program + "--version").output.starts_with("steelyard 0."));
}

}  // namespace
}  // namespace steelyard
