// SPDX-License-Identifier: Apache-2.0
#include "reports/rule_tree.h"

#include <cctype>

namespace steelyard {
namespace {

constexpr std::string_view measured_row = "/benchmarks/*";
constexpr std::string_view row_not_measured = "/context/steelyard/not_measured/*";

bool is_many(std::string_view segment) {
  return segment == "*" || segment == "{key}";
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

class Builder {
 public:
  explicit Builder(RuleTree& tree) : tree_(tree) {}

  void add(Scope scope, std::string_view row, std::string_view holder, const Rule& rule) {
    RuleNode* node = walk(&tree_.root, row, [](RuleNode&, std::string_view) {});
    RuleNode* parent = node;
    std::string path;
    bool once = true;
    const auto visit = [&](RuleNode& next, std::string_view segment) {
      parent = std::exchange(node, &next);
      path.append("/").append(segment);
      once = once && !is_many(segment);
      if (once && next.number < 0) number(next, scope, path);
    };
    walk(node, std::string(holder).append(rule.path), visit);
    node->rule = rule;
    if (node->kind == RuleNode::scalar && !rule.take) node->kind = RuleNode::object;
    // Elements may be none: what must be there is their list.
    const RuleNode& needed = is_many(path.substr(path.rfind('/') + 1)) ? *parent : *node;
    if (needed.number >= 0) places(scope)[needed.number].need = rule.need;
  }

 private:
  template <class Visit>
  RuleNode* walk(RuleNode* node, std::string_view path, Visit visit) {
    while (!path.empty()) {
      const auto segment = cut_segment(path);
      node->kind = kind_of_holder(segment);
      node = &node->members[std::string(segment)];
      visit(*node, segment);
    }
    return node;
  }

  void number(RuleNode& node, Scope scope, const std::string& path) {
    node.scope = scope;
    node.number = static_cast<int>(places(scope).size());
    places(scope).push_back({path});
  }

  std::vector<Place>& places(Scope scope) { return tree_.places[static_cast<int>(scope)]; }

  RuleTree& tree_;
};

RuleTree build() {
  RuleTree result;
  Builder builder(result);
  for (const Rule& rule : context_rules()) builder.add(Scope::file, "", "", rule);
  for (const Rule& rule : google_rules()) builder.add(Scope::measured, measured_row, "", rule);
  for (const Rule& rule : row_rules()) {
    builder.add(Scope::measured, measured_row, "", rule);
    builder.add(Scope::not_measured, row_not_measured, "", rule);
  }
  for (const Rule& rule : record_rules()) {
    builder.add(Scope::measured, measured_row, "/steelyard", rule);
    builder.add(Scope::not_measured, row_not_measured, "", rule);
  }
  return result;
}

}  // namespace

const RuleTree& rule_tree() {
  static const RuleTree result = build();
  return result;
}

}  // namespace steelyard
