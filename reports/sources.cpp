// SPDX-License-Identifier: Apache-2.0
#include "reports/sources.h"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/file_error.h"
#include "reports/open_file.h"
#include "reports/sha256.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

// Not a pipe, whose bytes are gone once they were read.
bool can_be_read_again(const fs::path& path) {
  std::error_code none;
  return fs::is_regular_file(path, none);
}

std::string families(const ResultFile& file) {
  std::set<std::string> found;
  for (const Record& row : file.records) found.insert(row.family);
  return fmt::format("{}", fmt::join(found, ", "));
}

}  // namespace

Table sources(std::span<const Results> results) {
  Table table{
      .title = "Result files",
      .columns = {{"result", Align::left},
                  {"file", Align::left},
                  {"families", Align::left},
                  {"rows"},
                  {"SHA-256", Align::left}},
      .notes = {"Each row of a family comes from the file of its result with that family."}};
  for (const auto& set : results) {
    const auto paths = result_files(set.name);
    for (std::size_t i = 0; i < set.files.size(); ++i)
      table.rows.push_back({set.name, set.file_names[i], families(set.files[i]),
                            std::to_string(set.files[i].records.size()),
                            can_be_read_again(paths.at(i)) ? sha256(text_of_file(paths[i]))
                                                           : "not known: no regular file"});
  }
  return table;
}

std::vector<Attachment> attachments(std::span<const Results> results) {
  std::vector<Attachment> found;
  for (const auto& set : results)
    for (const fs::path& path : result_files(set.name)) {
      if (!can_be_read_again(path))
        throw file_error(path, "is no regular file and was read once already",
                         "save it to a file first, or leave out --embed");
      found.push_back({path.string(), text_of_file(path)});
    }
  return found;
}

}  // namespace steelyard
