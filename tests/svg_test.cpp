// SPDX-License-Identifier: Apache-2.0
#include "reports/svg.h"

#include <cmath>
#include <limits>
#include <regex>

#include <fmt/format.h>

#include "tests/catch.h"

namespace steelyard {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

std::vector<std::smatch> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  return {std::sregex_iterator(text.begin(), text.end(), expression), std::sregex_iterator()};
}

using Place = std::pair<double, double>;

// Where markers are.
std::vector<Place> markers(const std::string& drawn) {
  std::vector<Place> places;
  for (const auto& match : matches(drawn, "translate\\(([-0-9.]+),([-0-9.]+)\\)"))
    places.emplace_back(std::stod(match[1]), std::stod(match[2]));
  return places;
}

// An attribute of the elements of a class.
std::vector<double> attributes(const std::string& drawn, const std::string& style,
                               const std::string& name) {
  std::vector<double> values;
  for (const auto& match :
       matches(drawn, "class=\"" + style + "[^\"]*\"[^>]* " + name + "=\"([-0-9.]+)\""))
    values.push_back(std::stod(match[1]));
  return values;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

Forest forest(std::vector<Forest::Row> rows) {
  return {
      .title = "Ratios", .description = "What they are.", .axis = "times", .rows = std::move(rows)};
}

TEST_CASE("a ratio of 1 stands on the line at 1, and equal factors are equally far from it") {
  const std::string drawn = svg(
      forest({{.label = "half", .ratio = 0.5}, {.label = "one"}, {.label = "double", .ratio = 2}}),
      "a");
  const auto lines = attributes(drawn, "one", "x1");
  REQUIRE(lines.size() == 1);
  const auto places = markers(drawn);
  REQUIRE(places.size() == 6);  // three of them in the legend
  CHECK(places[1].first == lines[0]);
  CHECK(lines[0] - places[0].first == Approx(places[2].first - lines[0]).margin(0.11));
  CHECK(places[2].first - lines[0] > 50);
}

TEST_CASE("whiskers end where intervals do, and a wide one has an arrow at the edge") {
  const std::string drawn =
      svg(forest({{.label = "narrow", .ratio = 2, .ci95 = Interval{1, 4}},
                  {.label = "wide", .ratio = 2, .ci95 = Interval{1e-9, 1e9}}}),
          "a");
  const double one = attributes(drawn, "one", "x1").at(0);
  const auto begins = attributes(drawn, "whisker", "x1"), ends = attributes(drawn, "whisker", "x2");
  CHECK(begins.at(0) == one);
  const double two = markers(drawn).at(0).first;
  CHECK(ends.at(0) - two == Approx(two - one).margin(0.11));
  CHECK(begins.at(3) == 262);  // the edges of the axis
  CHECK(ends.at(3) == 560);
}

TEST_CASE("a forest says faster, slower and unclear by shape") {
  const auto shape = [](double ratio, std::optional<Interval> ci95) {
    const std::string drawn = svg(forest({{.label = "row", .ratio = ratio, .ci95 = ci95}}), "a");
    return matches(drawn, "<path class=\"mark [^>]* (d=\"[^\"]*\")").at(0)[1].str();
  };
  CHECK(shape(2, Interval{1.5, 3}) == shape(2, std::nullopt));
  CHECK(shape(2, Interval{1.5, 3}) != shape(2, Interval{0.5, 3}));
  CHECK(shape(2, Interval{1.5, 3}) != shape(0.5, Interval{0.4, 0.6}));
}

TEST_CASE("bars begin at zero and are as long as their values") {
  const std::string drawn = svg(Bars{.title = "Rates",
                                     .axis = "TFLOP/s",
                                     .rows = {{.label = "a", .value = 30, .text = "30"},
                                              {.label = "b", .value = 15, .text = "15"},
                                              {.label = "c", .value = 0, .text = "0"}}},
                                "a");
  CHECK(attributes(drawn, "bar", "x") == std::vector<double>{262, 262, 262});
  const auto widths = attributes(drawn, "bar", "width");
  REQUIRE(widths.size() == 3);
  CHECK(widths[0] == 2 * widths[1]);
  CHECK(widths[0] == 378);  // 30 ends the axis
  CHECK(widths[2] == 0);
}

TEST_CASE("doublings are equally far apart on an axis to the base 2") {
  const std::string drawn = svg(Curves{.title = "Speed",
                                       .x_axis = "batch",
                                       .y_axis = "tokens/s",
                                       .logarithmic_x = true,
                                       .lines = {{"a", {{1, 0}, {2, 50}, {4, 100}}}}},
                                "a");
  const auto places = markers(drawn);
  REQUIRE(places.size() == 4);
  CHECK(places[0] == Place(80, 314));
  CHECK(places[1] == Place(410, 174));
  CHECK(places[2] == Place(740, 34));
}

TEST_CASE("ticks are round and say exactly where they are") {
  const auto ticks = [](double most) {
    std::string found;
    const std::string drawn = svg(Bars{.rows = {{.label = "", .value = most, .text = ""}}}, "a");
    for (const auto& match : matches(drawn, "<text class=\"middle\"[^>]*>([^<]+)<"))
      found += match[1].str() + ";";
    return found;
  };
  CHECK(ticks(0) == "0;0.2;0.4;0.6;0.8;1;");
  CHECK(ticks(9.9) == "0;2;4;6;8;10;");
  CHECK(ticks(3.3e12) == "0;1 T;2 T;3 T;4 T;");
  CHECK(ticks(3.3e-3) == "0;0.001;0.002;0.003;0.004;");
  CHECK(svg(Curves{.logarithmic_x = true, .lines = {{"", {{1 << 20, 1}, {1 << 21, 1}}}}}, "a")
            .find(">1048576<") != std::string::npos);
}

TEST_CASE("a point at its roof is on it") {
  const Roofline chart{
      .title = "Roofline",
      .roofs = {{"bf16", 1e15, 1e12}},
      .points = {{"on the slope", "", 10, 1e13}, {"on the flat part", "", 1e4, 1e15}}};
  const std::string drawn = svg(chart, "a");
  const auto found = matches(drawn, "points=\"([-0-9.]+),([-0-9.]+) ([-0-9.]+),([-0-9.]+) ");
  REQUIRE(!found.empty());
  const auto place = [&](int i) { return std::stod(found[0][i]); };
  const auto points = markers(drawn);
  REQUIRE(points.size() == 2);
  CHECK(points[1].second == place(4));
  const double slope = (place(4) - place(2)) / (place(3) - place(1));
  CHECK(points[0].second == Approx(place(2) + slope * (points[0].first - place(1))).margin(0.2));
}

TEST_CASE("every chart has a name, a description and ids of its own") {
  const std::string drawn = svg(forest({{.label = "row"}}), "part-3");
  CHECK(count(drawn, "role=\"img\" aria-labelledby=\"part-3-title part-3-description\"") == 1);
  CHECK(count(drawn, "<title id=\"part-3-title\">Ratios</title>") == 1);
  CHECK(count(drawn, "<desc id=\"part-3-description\">What they are.</desc>") == 1);
  CHECK(drawn == svg(forest({{.label = "row"}}), "part-3"));
}

std::vector<Chart> charts(const std::vector<double>& values, const std::string& name) {
  Forest forest{.title = name, .description = name, .axis = name};
  Bars bars{.title = name, .axis = name};
  Curves curves{.title = name, .x_axis = name, .y_axis = name, .lines = {{name, {}}}};
  Roofline roofline{.title = name};
  for (const double value : values) {
    forest.rows.push_back({name, name, value, Interval{value, value}});
    bars.rows.push_back({name, name, value, name});
    curves.lines.front().points.emplace_back(value, value);
    roofline.roofs.push_back({name, value, value});
    roofline.points.push_back({name, name, value, value});
  }
  Curves doublings = curves;
  doublings.logarithmic_x = true;
  return {forest, bars, curves, doublings, roofline};
}

TEST_CASE("what is no number is not drawn but counted") {
  const std::vector<double> hostile{not_a_number, infinite, -infinite, -1};
  for (const Chart& chart : charts(hostile, "x")) {
    const std::string drawn = svg(chart, "a");
    CHECK(matches(drawn, "[^a-z](nan|inf)").empty());
    CHECK(count(drawn, "since they are no positive numbers: 4 ") > 0);
  }
  for (const double value : {0.0, 5e-324, 1e-300, 1.1e-100, 1e-12, 1.0, 1e12, 9e99, 1e299, 1.7e308})
    for (const Chart& chart : charts({value, 2 * value, 1}, "x"))
      CHECK(matches(svg(chart, "a"), "[^a-z](nan|inf)").empty());
  for (const Chart& chart : charts({}, "x"))
    CHECK(matches(svg(chart, "a"), "[^a-z](nan|inf)").empty());
}

TEST_CASE("names are text in every chart") {
  for (const Chart& chart : charts({1}, "</svg><script>\"'&\u202e\xff")) {
    const std::string drawn = svg(chart, "a");
    CHECK(count(drawn, "</svg>") == 1);
    CHECK(count(drawn, "<script") == 0);
    CHECK(count(drawn, "&lt;/svg&gt;&lt;script&gt;&quot;&#39;&amp;\\u202e\\xff") > 0);
  }
}

TEST_CASE("points of a curve are hollow from a size on, and it says what that means") {
  Curves curves{.hollow = "no room", .lines = {{"line", {{1, 1}, {2, 2}, {4, 3}}}}};
  CHECK(count(svg(curves, "a"), "hollow") == 0);
  CHECK(count(svg(curves, "a"), "Hollow") == 0);
  curves.lines[0].hollow_from = 2;
  CHECK(count(svg(curves, "a"), "\"mark hollow ") == 2);
  CHECK(count(svg(curves, "a"), "Hollow: no room.") == 1);
}

TEST_CASE("five hundred rows are cut to what can be read, and it says so") {
  const std::vector<double> many(500, 2.0);
  const auto drawn = charts(many, "x");
  CHECK(count(svg(drawn[0], "a"), "440 more rows.") == 1);
  CHECK(markers(svg(drawn[0], "a")).size() == 63);
  CHECK(count(svg(drawn[1], "a"), "440 more bars.") == 1);
  CHECK(attributes(svg(drawn[1], "a"), "bar", "x").size() == 60);
  Curves curves;
  for (int i = 0; i < 500; ++i) curves.lines.push_back({fmt::format("line {}", i), {{1, 1}}});
  CHECK(count(svg(curves, "a"), "486 more lines.") == 1);
}

}  // namespace
}  // namespace steelyard
