// SPDX-License-Identifier: Apache-2.0
#include "reports/render.h"

#include <algorithm>
#include <sstream>

#include "reports/layout.h"
#include "tests/catch.h"

namespace steelyard {
namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

Table one_cell(std::string cell) {
  return {.columns = {{"name", Align::left}}, .rows = {{std::move(cell)}}};
}

// The only cell of a one-column Markdown table, as it stands in the source.
std::string markdown_cell(std::string cell) {
  std::string line = lines(markdown(one_cell(std::move(cell)))).at(2);
  line = line.substr(2, line.size() - 4);
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

std::string csv_cell(std::string cell) {
  const std::string whole = csv(one_cell(std::move(cell)));
  const std::string head = "name\r\n";
  REQUIRE(whole.starts_with(head));
  REQUIRE(whole.ends_with("\r\n"));
  return whole.substr(head.size(), whole.size() - head.size() - 2);
}

TEST_CASE("times have the unit of their size and four digits") {
  CHECK(seconds(1.5e-3) == "1.500 ms");
  CHECK(seconds(2.34567e-9) == "2.346 ns");
  CHECK(seconds(4.2e-5) == "42.00 µs");
  CHECK(seconds(0.25) == "250.0 ms");
  CHECK(seconds(12) == "12.00 s");
  CHECK(duration(59.2) == "59 s");
  CHECK(duration(59.6) == "1 min 00 s");
  CHECK(duration(185) == "3 min 05 s");
  CHECK(seconds(7200) == "7200 s");
  CHECK(seconds(1e-12) == "0.001 ns");
  CHECK(seconds(0) == "0.000 ns");
}

TEST_CASE("a value that rounds up to a thousand gets the next unit") {
  CHECK(seconds(999.96e-6) == "1.000 ms");
  CHECK(seconds(999.94e-6) == "999.9 µs");
  CHECK(rate(999.99e9, "FLOP/s") == "1.000 TFLOP/s");
}

TEST_CASE("sizes are binary and rates decimal") {
  CHECK(bytes(512) == "512 B");
  CHECK(bytes(64.0 * (1 << 20)) == "64 MiB");
  CHECK(bytes(1.5 * (1 << 30)) == "1.5 GiB");
  CHECK(bytes(1024) == "1 KiB");
  CHECK(rate(432.1e9, "FLOP/s") == "432.1 GFLOP/s");
  CHECK(rate(3.35e12, "B/s") == "3.350 TB/s");
  CHECK(rate(12, "token/s") == "12.00 token/s");
}

TEST_CASE("control characters, reordering characters and broken UTF-8 become visible") {
  CHECK(printable("plain µ ± 中") == "plain µ ± 中");
  CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(printable(std::string_view("\x1b[2J\0", 5)) == "\\x1b[2J\\x00");
  CHECK(printable("\u202egnp.exe\u2066") == "\\u202egnp.exe\\u2066");
  CHECK(printable("\xc2\x9b") == "\\x9b");  // C1: a terminal's CSI
  CHECK(printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");           // overlong /
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("cut \xe4\xb8") == "cut \\xe4\\xb8");
}

TEST_CASE("a Markdown cell cannot leave its cell") {
  CHECK(markdown_cell("a|b") == "a\\|b");
  CHECK(markdown_cell("`rm`") == "\\`rm\\`");
  CHECK(markdown_cell("a\n| b |") == "a\\\\n\\| b \\|");
  CHECK(markdown_cell("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;");
  CHECK(markdown_cell("[x](javascript:1)") == "\\[x\\](javascript:1)");
  CHECK(markdown_cell("**bold** ~~gone~~") == "\\*\\*bold\\*\\* \\~\\~gone\\~\\~");
  CHECK(markdown_cell("a&lt;b") == "a&amp;lt;b");
  CHECK(markdown_cell("back\\|slash") == "back\\\\\\|slash");
}

TEST_CASE("underscores inside of words stay readable in Markdown") {
  CHECK(markdown_cell("fp8_e4m3") == "fp8_e4m3");
  CHECK(markdown_cell("_emphasis_") == "\\_emphasis\\_");
}

TEST_CASE("Markdown is aligned by code points") {
  const Table table{.title = "times",
                    .columns = {{"kernel", Align::left}, {"time"}},
                    .rows = {{"tile", "1.0 µs"}, {"中文", "12.0 ms"}},
                    .notes = {"A note."}};
  CHECK(markdown(table) ==
        "## times\n\n"
        "| kernel |    time |\n"
        "|:-------|--------:|\n"
        "| tile   |  1.0 µs |\n"
        "| 中文     | 12.0 ms |\n"
        "\n"
        "A note.\n\n");
}

TEST_CASE("a note in Markdown is a paragraph, however it begins") {
  const auto note = [](const std::string& text) { return markdown(Table{.notes = {text}}); };
  CHECK(note("# pwned") == "\\# pwned\n\n");
  CHECK(note("- item") == "\\- item\n\n");
  CHECK(note("+ item") == "\\+ item\n\n");
  CHECK(note("===") == "\\===\n\n");
  CHECK(note("12. item") == "12\\. item\n\n");
  CHECK(note("7) item") == "7\\) item\n\n");
  CHECK(note("     code") == "code\n\n");
  CHECK(note("2 x H100 - fast.") == "2 x H100 - fast.\n\n");
  CHECK(note("12") == "12\n\n");
  CHECK(note("") == "\n\n");
}

TEST_CASE("a code block in Markdown holds whatever it is given") {
  CHECK(markdown_code({"steelyard-gemm --filter '```'", "two\nlines"}) ==
        "    steelyard-gemm --filter '```'\n    two\\nlines\n\n");
}

TEST_CASE("CSV quotes what RFC 4180 asks to quote") {
  CHECK(csv_cell("plain") == "plain");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"hi\"") == "\"say \"\"hi\"\"\"");
  CHECK(csv_cell("two\r\nlines") == "two\\r\\nlines");
}

TEST_CASE("CSV has nothing that a spreadsheet would run") {
  CHECK(csv_cell("=cmd()") == "'=cmd()");
  CHECK(csv_cell("+1+cmd|' /C calc'!A0") == "'+1+cmd|' /C calc'!A0");
  CHECK(csv_cell("-2+3") == "'-2+3");
  CHECK(csv_cell("@SUM(1,2)") == "\"'@SUM(1,2)\"");
  CHECK(csv_cell("  =1") == "'  =1");
  CHECK(csv_cell("-1.5e-3") == "-1.5e-3");
}

TEST_CASE("a table for a terminal is aligned, without trailing blanks or escape sequences") {
  const Table table{.title = "devices",
                    .columns = {{"id", Align::left}, {"peak"}, {"note", Align::left}},
                    .rows = {{"cpu:0", "1", "\x1b[31mred"}, {"cuda:10", "20", ""}}};
  CHECK(text(table) ==
        "devices\n"
        "id       peak  note\n"
        "cpu:0       1  \\x1b[31mred\n"
        "cuda:10    20\n");
}

TEST_CASE("hostile cells keep every renderer's shape") {
  const std::string hostile[] = {"|",
                                 "||||",
                                 "`",
                                 "\n\n# heading",
                                 "<!--",
                                 "\"\r\n,",
                                 "\x1b]0;t\x07",
                                 "\u202e",
                                 "\xff\xff",
                                 std::string(10000, 'x'),
                                 std::string(10000, '|'),
                                 std::string("\0", 1)};
  Table table{.columns = {{"a", Align::left}, {"b"}}};
  for (const auto& cell : hostile) table.rows.push_back({cell, cell});
  for (const auto& line : lines(markdown(table))) {
    if (line.empty()) continue;
    std::size_t bars = 0;  // unescaped ones
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\\')
        ++i;
      else
        bars += line[i] == '|';
    }
    CHECK(bars == 3);
  }
  CHECK(lines(markdown(table)).size() == table.rows.size() + 3);
  CHECK(lines(csv(table)).size() == table.rows.size() + 1);
  CHECK(lines(text(table)).size() == table.rows.size() + 1);
}

TEST_CASE("one long cell does not widen the other rows") {
  Table table = one_cell(std::string(10000, 'x'));
  table.rows.push_back({"short"});
  CHECK(lines(markdown(table)).at(3).size() < 100);
}

}  // namespace
}  // namespace steelyard
