// SPDX-License-Identifier: Apache-2.0
// The rules of record_rules.h as a tree, for a reader that meets a file's places one after the
// other.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reports/record_rules.h"

namespace steelyard {

// What is counted as present or missing belongs to the file or to a row.
enum class Scope { file, measured, not_measured };

struct Node {
  enum Kind { scalar, object, map, array, tuple } kind = scalar;
  Rule rule;
  Scope scope = Scope::file;
  int number = -1;  // in the places of its scope; -1 where there may be many
  std::map<std::string, Node, std::less<>> members;

  bool is_list() const { return kind == array || kind == tuple; }
};

// A place that a file or row has once, for what is twice there or missing.
struct Place {
  std::string path;  // from the start of the file or row
  Rule::Need need = Rule::optional;
};

struct Layout {
  Node root;
  std::array<std::vector<Place>, 3> places;  // by Scope
};

const Layout& layout();

}  // namespace steelyard
