// SPDX-License-Identifier: Apache-2.0
// schema_corpus FOLDER: writes the corpus of result files there, and to verdicts.txt one line a
// file, its name and what validate() says of it, for schema_test.py to compare with.
#include <cstdio>
#include <filesystem>
#include <string>

#include "reports/replace_file.h"
#include "reports/validate.h"
#include "tests/corpus.h"

namespace {

namespace fs = std::filesystem;

std::string verdict(const fs::path& folder, const std::string& name, const std::string& text) {
  const fs::path path = folder / (name + ".json");
  steelyard::replace_file(path, text);
  return path.filename().string() + (steelyard::validate(path).empty() ? " valid\n" : " invalid\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: schema_corpus FOLDER\n");
    return 2;
  }
  const fs::path folder = argv[1];
  fs::create_directories(folder);
  std::string verdicts;
  for (const auto& [name, file] : steelyard::good_files()) {
    verdicts += verdict(folder, name, to_json(file));
  }
  for (const auto* faults : {&steelyard::faults_of_form(), &steelyard::faults_of_meaning()}) {
    for (const auto& fault : *faults) {
      verdicts += verdict(folder, std::string(fault.name), mutate(steelyard::valid_text(), fault));
    }
  }
  steelyard::replace_file(folder / "schema.json", steelyard::schema());
  steelyard::replace_file(folder / "verdicts.txt", verdicts);
}
