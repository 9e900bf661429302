// SPDX-License-Identifier: Apache-2.0
// The index of result files: what it keeps, what it refuses, and who may use it at once.
#include "reports/history.h"

#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/made_results.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

const std::string program = "'" STEELYARD "' ";

// One run of a day, at so many seconds.
void write_day(const fs::path& path, int day, double seconds) {
  ResultFile file = made_results("r", {made({.seconds = seconds})}).files.front();
  file.context.google[0].second = fmt::format("2026-03-{:02}T00:00:00+00:00", day);
  write_results(path, file);
}

// All rows of all tables, in the order of their keys.
std::string dump(const fs::path& path) {
  const Database database(path, Database::read);
  std::string text;
  Statement files(database, "SELECT sha256, path, date, host, commit_id FROM file ORDER BY sha256");
  while (files.step())
    for (int i = 0; i < 5; ++i) text += files.text(i) + "\n";
  Statement values(database,
                   "SELECT row, metric, date, sha256, run, value, unit, conditions FROM value "
                   "ORDER BY row, metric, date, sha256, run");
  while (values.step())
    for (int i = 0; i < 8; ++i) text += values.text(i) + "\n";
  return text;
}

std::vector<HistoryPoint> newest(const History& history, const std::string& row) {
  return history.points(row, history.newest_conditions(row));
}

std::string row_key() {
  return key(made({}));
}

TEST_CASE("files are kept in the order of their dates, each once") {
  const Sandbox sandbox;
  write_day(sandbox / "b.json", 2, 2e-3);
  write_day(sandbox / "a.json", 3, 3e-3);
  write_day(sandbox / "c.json", 1, 1e-3);
  History history(sandbox / "h.db", Database::write);
  CHECK(history.import({sandbox / "a.json", sandbox / "b.json"}) == 2);
  CHECK(history.import({sandbox / "a.json", sandbox / "c.json"}) == 1);
  CHECK(history.rows() == std::vector{row_key()});
  const auto points = newest(history, row_key());
  REQUIRE(points.size() == 3);
  CHECK(points[0].value == Approx(1e-3));
  CHECK(points[2].value == Approx(3e-3));
  CHECK(points[2].date == "2026-03-03T00:00:00+00:00");
  CHECK(points[2].commit.starts_with("0123"));
}

TEST_CASE("the runs of a file are one point") {
  const Sandbox sandbox;
  Record first = made({.seconds = 1e-3}), second = made({.seconds = 4e-3});
  first.repetitions = second.repetitions = 2;
  second.repetition = 1;
  write_results(sandbox / "a.json", made_results("r", {first, second}).files.front());
  History history(sandbox / "h.db", Database::write);
  history.import({sandbox / "a.json"});
  REQUIRE(newest(history, row_key()).size() == 1);
  CHECK(newest(history, row_key())[0].value == Approx(2e-3));
  CHECK(newest(history, row_key())[0].runs == 2);
}

TEST_CASE("values under other conditions are another history") {
  const Sandbox sandbox;
  write_results(sandbox / "a.json", made_results("r", {made({.driver = "1"})}).files.front());
  write_day(sandbox / "b.json", 9, 2e-3);
  History history(sandbox / "h.db", Database::write);
  history.import({sandbox / "a.json", sandbox / "b.json"});
  CHECK(newest(history, row_key()).size() == 1);
  CHECK(newest(history, row_key())[0].value == Approx(2e-3));
  CHECK(history.points(row_key(), "no such conditions").empty());
}

TEST_CASE("rebuilding from the files gives the same database") {
  const Sandbox sandbox;
  for (int day = 1; day <= 9; ++day)
    write_day(sandbox / fmt::format("{}.json", day), day, day * 1e-3);
  History history(sandbox / "h.db", Database::write);
  for (const int day : {5, 2, 9, 1}) history.import({sandbox / fmt::format("{}.json", day)});
  const std::string before = dump(sandbox / "h.db");
  CHECK(history.rebuild() == 4);
  CHECK(dump(sandbox / "h.db") == before);
  fs::remove(sandbox / "2.json");
  CHECK_THROWS_WITH(history.rebuild(), ContainsSubstring("2.json"));
  CHECK(dump(sandbox / "h.db") == before);
}

TEST_CASE("an import of which one file is bad takes none") {
  const Sandbox sandbox;
  write_day(sandbox / "a.json", 1, 1e-3);
  sandbox.write("b.json", "{}");
  History history(sandbox / "h.db", Database::write);
  CHECK_THROWS_AS(history.import({sandbox / "a.json", sandbox / "b.json"}), FileError);
  CHECK(history.rows().empty());
}

TEST_CASE("what is no database of this program is refused and left as it was") {
  const Sandbox sandbox;
  write_day(sandbox / "a.json", 1, 1e-3);
  sandbox.write("text.db", std::string(5000, 'x'));
  Database(sandbox / "foreign.db", Database::write)
      .execute("CREATE TABLE t (x); PRAGMA user_version = 7");
  History(sandbox / "later.db", Database::write);
  Database(sandbox / "later.db", Database::write).execute("PRAGMA user_version = 2");
  for (const auto& [name, why] :
       {std::pair("text.db", "not a database"), std::pair("foreign.db", "another program"),
        std::pair("later.db", "version 2")}) {
    const std::string before = contents(sandbox / name);
    const Outcome outcome =
        sandbox.shell(program + "history import a.json --db " + std::string(name));
    CHECK(outcome.exit_code == 2);
    CHECK_THAT(outcome.errors, ContainsSubstring(name) && ContainsSubstring(why));
    CHECK(contents(sandbox / name) == before);
  }
}

TEST_CASE("a database that was cut is refused") {
  const Sandbox sandbox;
  for (int day = 1; day <= 28; ++day)
    write_day(sandbox / fmt::format("{}.json", day), day, day * 1e-3);
  CHECK(sandbox.shell(program + "history import *.json --db h.db").exit_code == 0);
  const std::string whole = contents(sandbox / "h.db");
  sandbox.write("cut.db", whole.substr(0, whole.size() / 2));
  const Outcome outcome = sandbox.shell(program + "history trend '*' --db cut.db");
  CHECK(outcome.exit_code == 2);
  CHECK_THAT(outcome.errors, ContainsSubstring("cut.db"));
}

TEST_CASE("two imports at once lose nothing") {
  const Sandbox sandbox;
  for (int day = 1; day <= 28; ++day)
    write_day(sandbox / fmt::format("{:02}.json", day), day, day * 1e-3);
  const Outcome outcome = sandbox.shell(
      "for i in 0 1 2; do\n"
      "  for half in 0 1; do\n"
      "    (for f in $half?.json $i?.json; do " +
      program +
      "history import $f --db h.db || echo lost; done) &\n"
      "  done\n"
      "done\n"
      "wait\n");
  CHECK(outcome.output.empty());
  CHECK(newest(History(sandbox / "h.db", Database::read), row_key()).size() == 28);
}

TEST_CASE("trend and changes are tables for readers") {
  const Sandbox sandbox;
  for (int day = 1; day <= 20; ++day)
    write_day(sandbox / fmt::format("{:02}.json", day), day,
              1e-3 * (day > 12 ? 1.05 : 1) * (1 + 0.001 * (day % 3)));
  CHECK(sandbox.shell(program + "history import . --db h.db").exit_code == 0);
  const Outcome trend = sandbox.shell(program + "history trend 'gemm/*' --db h.db");
  CHECK(trend.exit_code == 0);
  CHECK_THAT(trend.output, ContainsSubstring("2026-03-20") && ContainsSubstring("█"));
  const Outcome changes = sandbox.shell(program + "history changes --db h.db");
  CHECK_THAT(changes.output, ContainsSubstring("2026-03-13") && ContainsSubstring("+5.0"));
  CHECK(sandbox.shell(program + "history trend nothing --db h.db").exit_code == 2);
  CHECK(sandbox.shell(program + "history trend x --db absent.db").exit_code == 2);
  CHECK_FALSE(fs::exists(sandbox / "absent.db"));
}

}  // namespace
}  // namespace steelyard
