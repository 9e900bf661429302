// SPDX-License-Identifier: Apache-2.0
#include "reports/html.h"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <kainjow/mustache.hpp>

#include "reports/base64.h"
#include "reports/html_escape.h"
#include "reports/sha256.h"
#include "reports/sort_value.h"
#include "reports/svg.h"

namespace steelyard {

// The files of templates/.
std::string_view report_html();
std::string_view row_html();
std::string_view table_html();
std::string_view chart_html();
std::string_view code_html();
std::string_view attachments_html();
std::string_view report_css();
std::string_view charts_css();
std::string_view report_js();

namespace {

using kainjow::mustache::data;
using kainjow::mustache::list;
using kainjow::mustache::mustache;
using kainjow::mustache::object;

class Template {
 public:
  explicit Template(std::string_view text) : page_(std::string(text)) {
    if (!page_.is_valid()) throw std::logic_error("templates: " + page_.error_message());
    page_.set_custom_escape([](const std::string& untrusted) { return html_escape(untrusted); });
  }

  std::string render(const data& values) {
    std::string result;
    page_.render(values, [&](const std::string& part) { result += part; });
    return result;
  }

 private:
  mustache page_;
};

// What a template leaves out: an empty text would be there.
const data absent(false);

// A text that is longer than can be read is cut; its title has the whole.
struct Shown {
  data text, whole;
};

Shown shown(const std::string& text) {
  const std::string whole = printable(text), cut = shortened(whole, 300);
  return {cut, cut == whole ? absent : data(whole)};
}

data cell(const std::string& text, const Column& column, bool names_row) {
  const auto [cut, whole] = shown(text);
  const auto value = column.align == Align::right ? sort_value(text) : std::nullopt;
  const char* element = names_row ? "th scope=\"row\"" : "td";
  return object{{"element", element},
                {"end", names_row ? "th" : "td"},
                {"is_right", column.align == Align::right},
                {"number", value ? data(fmt::format("{:.12g}", *value)) : absent},
                {"whole", whole},
                {"text", cut}};
}

std::string rows(const Table& table) {
  Template row(row_html());  // one by one: values of a template are copied at every level
  std::string made;
  for (const auto& texts : table.rows) {
    list cells;
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      cells.push_back(cell(texts.at(i), table.columns[i], i == 0 && !texts[i].empty()));
    made += row.render(data("cells", cells));
  }
  return made;
}

struct Section {
  std::string heading, anchor;  // without a heading it is none of the contents
  std::string html;
  bool is_chart = false;  // with its table, if it has that one's heading
};

void fill(Section& section, const Table& table) {
  section.heading = table.title;
  list columns, notes;
  for (const auto& column : table.columns) {
    const auto [cut, whole] = shown(column.heading);
    columns.push_back(
        object{{"is_right", column.align == Align::right}, {"whole", whole}, {"text", cut}});
  }
  for (const auto& note : table.notes) notes.push_back(object{{"note", note}});
  section.html = Template(table_html())
                     .render(object{{"heading", table.title.empty() ? absent : data(table.title)},
                                    {"anchor", section.anchor},
                                    {"name", table.title.empty() ? "Overview" : table.title},
                                    {"has_columns", !table.columns.empty()},
                                    {"columns", columns},
                                    {"rows", rows(table)},
                                    {"notes", notes}});
}

void fill(Section& section, const Chart& chart) {
  section.heading = title(chart);
  section.is_chart = true;
  const std::string explanation = description(chart);
  section.html =
      Template(chart_html())
          .render(object{{"anchor", section.anchor},
                         {"caption", section.heading},
                         {"explanation", explanation.empty() ? absent : data(explanation)},
                         {"svg", svg(chart, section.anchor)}});
}

void fill(Section& section, const Code& code) {
  constexpr std::size_t many = 12;
  list lines;
  for (const auto& line : code.lines) lines.push_back(object{{"line", line}});
  section.html = Template(code_html())
                     .render(object{{"is_long", code.lines.size() > many},
                                    {"count", std::to_string(code.lines.size())},
                                    {"lines", lines}});
}

Section attached(const std::vector<Attachment>& attachments) {
  Section section{.heading = "Embedded files", .anchor = "files"};
  list files;
  for (const auto& file : attachments)
    files.push_back(object{
        {"file", file.name}, {"base64", base64(file.content)}, {"sha256", sha256(file.content)}});
  section.html =
      Template(attachments_html()).render(object{{"anchor", section.anchor}, {"files", files}});
  return section;
}

std::vector<Section> sections(const Document& document) {
  std::vector<Section> made;
  for (const Block& block : document.blocks) {
    Section section{.anchor = fmt::format("part-{}", made.size() + 1)};
    std::visit([&](const auto& one) { fill(section, one); }, block);
    made.push_back(std::move(section));
  }
  if (!document.attachments.empty()) made.push_back(attached(document.attachments));
  return made;
}

}  // namespace

std::string html(const Document& document) {
  const std::string style = std::string(report_css()) + std::string(charts_css());
  list lead, contents, blocks;
  Section before;
  for (const Section& section : sections(document)) {
    const bool are_one = section.heading == before.heading && section.is_chart != before.is_chart;
    if (!section.heading.empty() && !are_one)
      contents.push_back(
          object{{"heading", shown(section.heading).text}, {"anchor", section.anchor}});
    (contents.empty() ? lead : blocks).push_back(object{{"html", section.html}});
    before = section;
  }
  return Template(report_html())
      .render(object{{"title", document.title},
                     {"style", style},
                     {"style_source", sha256_source(style)},
                     {"script", std::string(report_js())},
                     {"script_source", sha256_source(report_js())},
                     {"has_contents", contents.size() > 1},
                     {"contents", contents},
                     {"lead", lead},
                     {"blocks", blocks}});
}

}  // namespace steelyard
