// SPDX-License-Identifier: Apache-2.0
// Texts that are result files, and texts that are nearly so: what reader, schema and validators are
// held against.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/record.h"

namespace steelyard {

struct GoodFile {
  std::string name;
  ResultFile file;
};

// A valid file with `from` replaced once by `to`. `place` is the JSON pointer that the reader's
// message must name.
struct Mutation {
  std::string_view name, from, to, place;
};

std::vector<GoodFile> good_files();
const std::vector<Mutation>& faults_of_form();     // against the schema
const std::vector<Mutation>& faults_of_meaning();  // that only a reader can see

std::string mutate(const std::string& text, const Mutation& mutation);

// The file that mutations are made of.
std::string valid_text();

}  // namespace steelyard
