// SPDX-License-Identifier: Apache-2.0
#include "reports/rule_tree.h"

#include <cctype>

namespace steelyard {
namespace {

constexpr std::string_view measured_row = "/benchmarks/*";
constexpr std::string_view row_not_measured = "/context/steelyard/not_measured/*";

// Whether a file may have several places of this path.
bool repeats(std::string_view path) {
  return path.find_first_of("*{") != path.npos;
}

RuleNode::Kind kind_of_holder(std::string_view segment) {
  if (segment == "*") return RuleNode::array;
  if (segment == "{key}") return RuleNode::map;
  return std::isdigit(static_cast<unsigned char>(segment[0])) ? RuleNode::tuple : RuleNode::object;
}

// "/timing/mode" -> "timing", and `path` becomes "/mode".
std::string_view cut_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// Makes the nodes on the way to a rule's place. `row` is the path to the row that the rule is of,
// `below` the way on from there.
void add(RuleTree& tree, Scope scope, std::string_view row, std::string_view below,
         const Rule& rule) {
  auto& places = tree.places[static_cast<int>(scope)];
  const std::string path = std::string(row).append(below).append(rule.path);
  std::string_view rest = path;
  RuleNode* holder = nullptr;
  RuleNode* node = &tree.root;
  while (!rest.empty()) {
    const auto segment = cut_segment(rest);
    holder = node;
    holder->kind = kind_of_holder(segment);
    node = &holder->members[std::string(segment)];
    const auto walked = std::string_view(path).substr(0, path.size() - rest.size());
    if (walked.size() <= row.size() || node->number >= 0) continue;
    const auto place = walked.substr(row.size());
    if (repeats(place)) continue;
    node->scope = scope;
    node->number = static_cast<int>(places.size());
    places.push_back({std::string(place)});
  }
  node->rule = rule;
  if (node->kind == RuleNode::scalar && !rule.take) node->kind = RuleNode::object;
  // Elements may be none: what must be there is their list.
  const RuleNode* needed =
      holder->kind == RuleNode::array || holder->kind == RuleNode::map ? holder : node;
  if (needed->number >= 0) places[needed->number].need = rule.need;
}

RuleTree build() {
  RuleTree result;
  for (const Rule& rule : context_rules()) add(result, Scope::file, "", "", rule);
  for (const Rule& rule : google_rules()) add(result, Scope::measured, measured_row, "", rule);
  for (const Rule& rule : row_rules()) {
    add(result, Scope::measured, measured_row, "", rule);
    add(result, Scope::not_measured, row_not_measured, "", rule);
  }
  for (const Rule& rule : record_rules()) {
    add(result, Scope::measured, measured_row, "/steelyard", rule);
    add(result, Scope::not_measured, row_not_measured, "", rule);
  }
  return result;
}

}  // namespace

const RuleTree& rule_tree() {
  static const RuleTree result = build();
  return result;
}

}  // namespace steelyard
