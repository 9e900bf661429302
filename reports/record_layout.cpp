// SPDX-License-Identifier: Apache-2.0
#include "reports/record_layout.h"

#include <cctype>

namespace steelyard {
namespace {

constexpr std::string_view measured_row = "/benchmarks/*";
constexpr std::string_view row_not_measured = "/context/steelyard/not_measured/*";

bool is_many(std::string_view segment) {
  return segment == "*" || segment == "{key}";
}

Node::Kind kind_of_holder(std::string_view segment) {
  if (segment == "*") return Node::array;
  if (segment == "{key}") return Node::map;
  return std::isdigit(static_cast<unsigned char>(segment[0])) ? Node::tuple : Node::object;
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
  explicit Builder(Layout& layout) : layout_(layout) {}

  void add(Scope scope, std::string_view row, std::string_view holder, const Rule& rule) {
    Node* node = walk(&layout_.root, row, [](Node&, std::string_view) {});
    Node* parent = node;
    std::string path;
    bool once = true;
    const auto visit = [&](Node& next, std::string_view segment) {
      parent = std::exchange(node, &next);
      path.append("/").append(segment);
      once = once && !is_many(segment);
      if (once && next.number < 0) number(next, scope, path);
    };
    walk(node, std::string(holder).append(rule.path), visit);
    node->rule = rule;
    if (node->kind == Node::scalar && !rule.take) node->kind = Node::object;
    // Elements may be none: what must be there is their list.
    const Node& needed = is_many(path.substr(path.rfind('/') + 1)) ? *parent : *node;
    if (needed.number >= 0) places(scope)[needed.number].need = rule.need;
  }

 private:
  template <class Visit>
  Node* walk(Node* node, std::string_view path, Visit visit) {
    while (!path.empty()) {
      const auto segment = cut_segment(path);
      node->kind = kind_of_holder(segment);
      node = &node->members[std::string(segment)];
      visit(*node, segment);
    }
    return node;
  }

  void number(Node& node, Scope scope, const std::string& path) {
    node.scope = scope;
    node.number = static_cast<int>(places(scope).size());
    places(scope).push_back({path});
  }

  std::vector<Place>& places(Scope scope) { return layout_.places[static_cast<int>(scope)]; }

  Layout& layout_;
};

Layout build() {
  Layout result;
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

const Layout& layout() {
  static const Layout result = build();
  return result;
}

}  // namespace steelyard
