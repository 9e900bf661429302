// SPDX-License-Identifier: Apache-2.0
#include "reports/command_words.h"

#include <regex>
#include <stdexcept>

#include "tests/catch.h"

namespace steelyard {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("a command is taken apart as a shell would, and nothing is expanded") {
  CHECK(split_words("a  b\tc") == Words{"a", "b", "c"});
  CHECK(split_words("a 'b  c' \"d e\"") == Words{"a", "b  c", "d e"});
  CHECK(split_words(R"(a\ b "c\"d" 'e\f' g\\h)") == Words{"a b", "c\"d", "e\\f", "g\\h"});
  CHECK(split_words("a '' b") == Words{"a", "", "b"});
  CHECK(split_words("a=\"x y\"z") == Words{"a=x yz"});
  CHECK(split_words("echo $HOME `id` * ; rm") == Words{"echo", "$HOME", "`id`", "*", ";", "rm"});
}

TEST_CASE("a command without an end or a word is refused") {
  CHECK_THROWS_AS(split_words("a 'b"), std::invalid_argument);
  CHECK_THROWS_AS(split_words("   "), std::invalid_argument);
  CHECK_THROWS_AS(split_words("'' a"), std::invalid_argument);
}

TEST_CASE("a filter matches the rows that it names and no others") {
  const std::set<std::string> rows = {"a/b.c", "x+y", "BM_f<int>/8", "[q]{2}(z)|^$"};
  for (const auto flavour : {std::regex::ECMAScript, std::regex::extended}) {
    const std::regex filter(exactly(rows), flavour);
    for (const std::string& row : rows) CHECK(std::regex_search(row, filter));
    for (const char* other : {"a/bxc", "a/b.c/2", "xa/b.c", "xxy", "", "BM_f<int>/80"})
      CHECK_FALSE(std::regex_search(other, filter));
  }
}

TEST_CASE("the result file goes where the command says") {
  CHECK(command_for("bench --json={out} --only '{filter}'", "r.json", "^(a)$") ==
        Words{"bench", "--json=r.json", "--only", "^(a)$"});
  CHECK(command_for("bench --json {out} --only {filter}", "r.json", "") ==
        Words{"bench", "--json", "r.json", "--only", "."});
}

TEST_CASE("programs that are not told get the options of Google Benchmark") {
  CHECK(command_for("bench -x", "r.json", "") ==
        Words{"bench", "-x", "--benchmark_out=r.json", "--benchmark_out_format=json"});
  CHECK(command_for("bench", "r.json", "^(a)$").back() == "--benchmark_filter=^(a)$");
}

TEST_CASE("steelyard run gets a folder") {
  CHECK(
      command_for("/opt/bin/steelyard run --suite gate", "r", "^(a)$") ==
      Words{"/opt/bin/steelyard", "run", "--suite", "gate", "--output", "r", "--filter", "^(a)$"});
}

}  // namespace
}  // namespace steelyard
