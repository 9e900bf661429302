// SPDX-License-Identifier: Apache-2.0
#include "reports/html.h"

#include "reports/base64.h"
#include "reports/html_escape.h"
#include "reports/sha256.h"
#include "tests/catch.h"

namespace steelyard {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// What stands between the first `begin` and the `end` after it.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const auto to = text.find(end, from + begin.size());
  REQUIRE(to != std::string::npos);
  return text.substr(from + begin.size(), to - from - begin.size());
}

Document one_cell(const std::string& cell) {
  return {.title = "A report",
          .blocks = {Table{.columns = {{"name", Align::left}, {"time"}}, .rows = {{"row", cell}}}}};
}

TEST_CASE("base64 is that of RFC 4648") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("hashes of sources are those that browsers compute") {
  // printf 'alert(1)' | openssl dgst -sha256 -binary | base64
  CHECK(sha256_source("alert(1)") == "sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=");
}

TEST_CASE("nothing but the report's own style and script may do anything") {
  const std::string page = html(one_cell("1.5 ms"));
  const std::string policy = between(page, "Content-Security-Policy\" content=\"", "\"");
  CHECK(policy == "default-src 'none'; style-src '" +
                      sha256_source(between(page, "<style>", "</style>")) + "'; script-src '" +
                      sha256_source(between(page, "<script>", "</script>")) +
                      "'; base-uri 'none'; form-action 'none'");
  CHECK(count(page, "<script") == 1);
  CHECK(count(page, "<style") == 1);
  for (const char* part :
       {" style=", " onclick=", " onload=", " src=", "innerHTML", "http:", "https:"})
    CHECK_FALSE(contains(page, part));
}

TEST_CASE("cells of numbers carry their value") {
  CHECK(contains(html(one_cell("1.5 ms")), "<td class=\"n\" data-value=\"0.0015\">1.5 ms</td>"));
  CHECK(contains(html(one_cell("-")), "<td class=\"n\">-</td>"));
}

TEST_CASE("the blocks before the first heading come before the contents") {
  const std::string page = html(
      {.title = "A report",
       .blocks = {Table{.notes = {"What was found."}}, Table{.title = "First", .notes = {"One."}},
                  Code{{"a", "b"}}, Table{.title = "Second", .notes = {"Two."}},
                  Bars{.title = "Third", .rows = {{.label = "bar", .value = 1}}},
                  Table{.title = "Third", .notes = {"Three."}},
                  Table{.title = "Third", .notes = {"Four."}}}});
  CHECK(count(page, ">Third</a>") == 2);  // a chart and its table are one
  std::size_t at = 0;
  for (const char* next :
       {"<h1>A report", "What was found.", "<nav", "#part-2\">First", "#part-4\">Second",
        "#part-5\">Third", "</nav>", "<h2 id=\"part-2\">First", "One.", "<code>a\nb\n</code>",
        "<h2 id=\"part-4\">Second", "Two.", "<figcaption id=\"part-5\">Third"}) {
    INFO(next);
    at = page.find(next, at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("untrusted text stays text") {
  const std::string hostile = "</script><img src=x onerror=alert(1)>\"'& {{title}} {{{style}}}";
  Document document{.title = hostile,
                    .blocks = {Table{.title = hostile,
                                     .columns = {{hostile, Align::left}, {hostile}},
                                     .rows = {{hostile, hostile}},
                                     .notes = {hostile}},
                               Table{.title = hostile, .notes = {hostile}}, Code{{hostile}}},
                    .attachments = {{.name = hostile, .content = hostile}}};
  const std::string page = html(document);
  CHECK(count(page, "<script") == 1);
  CHECK(count(page, "</script") == 1);
  CHECK_FALSE(contains(page, "<img"));
  CHECK(
      contains(page,
               "<td class=\"n\">&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp; "
               "{{title}} {{{style}}}</td>"));
  CHECK(count(page, "{{title}}") == count(html_escape(page), "{{title}}"));
}

TEST_CASE("what cannot be seen or is no UTF-8 becomes visible") {
  CHECK(html_escape("\u202egpj.exe\u2066 \xff\x1b[2J") == "\\u202egpj.exe\\u2066 \\xff\\x1b[2J");
  const std::string page = html(one_cell("\u202e\xff"));
  CHECK(contains(page, ">\\u202e\\xff</td>"));
}

TEST_CASE("names of ten thousand characters are cut; a title has the whole") {
  const std::string name = std::string(9999, 'x') + "<";
  const std::string page = html(one_cell(name));
  CHECK(contains(
      page, "title=\"" + std::string(9999, 'x') + "&lt;\">" + std::string(299, 'x') + "…</td>"));
  Document headings = one_cell("1");
  std::get<Table>(headings.blocks[0]).columns[1].heading = name;
  CHECK(contains(html(headings), "title=\"" + std::string(9999, 'x') + "&lt;\">" +
                                     std::string(299, 'x') + "…</th>"));
  CHECK(shortened("µµµ", 3) == "µµµ");
  CHECK(shortened("µµµµ", 3) == "µµ…");
}

TEST_CASE("embedded files are the bytes of the files") {
  Document document = one_cell("1");
  CHECK_FALSE(contains(html(document), "base64"));
  document.attachments = {{.name = "out/a.json", .content = "{\"a\": \"</script>\"}\n"}};
  const std::string page = html(document);
  CHECK(between(page, "base64,", "\"") == base64(document.attachments[0].content));
  CHECK(contains(page, sha256(document.attachments[0].content)));
}

TEST_CASE("long code is folded") {
  const auto page = [](int lines) {
    return html({.title = "A report", .blocks = {Code{std::vector<std::string>(lines, "x")}}});
  };
  CHECK_FALSE(contains(page(12), "<details class"));
  CHECK(contains(page(13), "<summary>13 lines</summary>"));
}

}  // namespace
}  // namespace steelyard
