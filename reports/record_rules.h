// SPDX-License-Identifier: Apache-2.0
// Where the members of a record stand in a result file, and how each is taken from there.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "reports/assign.h"
#include "reports/record.h"

namespace steelyard {

// A result file in the making, which the rules below fill.
struct Draft {
  struct Row {
    Record record;
    std::string name;
    std::optional<int> index;  // the record's place in the order they were tried
  };

  ResultFile file;
  Row row;  // the one that is being read
  std::map<std::string, std::shared_ptr<Comparability>> comparability;  // by key
};

// What one place of a file holds. `*` in a path stands for any element of an array, `{key}` for any
// member of an object; a number is that element of an array of fixed length.
struct Rule {
  enum Need { optional, always, measured };  // measured: in rows that have a time

  std::string_view path;
  Need need = optional;
  Complaint (*take)(Draft&, Value&) = nullptr;                  // of a scalar
  Fields* (*fields)(Draft&, const std::string& key) = nullptr;  // where scalars without a rule go
  void (*begin)(Draft&) = nullptr;                              // when an object starts
};

std::span<const Rule> context_rules();  // from the start of the file
std::span<const Rule> google_rules();   // from a row of `benchmarks`
std::span<const Rule> row_rules();      // from a row, measured or not
std::span<const Rule> record_rules();   // from what holds a record

}  // namespace steelyard
