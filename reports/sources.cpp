// SPDX-License-Identifier: Apache-2.0
#include "reports/sources.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/file_error.h"
#include "reports/open_file.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

template <std::string Origin::*part>
std::string of_origins(const Measurement& measurement) {
  std::vector<const Origin*> origins;
  for (const Record* run : measurement.runs)
    if (run->origin && std::ranges::count(origins, run->origin.get()) == 0)
      origins.push_back(run->origin.get());
  std::vector<std::string> parts;
  for (const Origin* origin : origins) parts.push_back(origin->*part);
  return fmt::format("{}", fmt::join(parts, "; "));
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
      .notes = {"A row comes from the files of its result that hold its family; CSV reports name "
                "them and their hashes row by row."}};
  for (const auto& set : results)
    for (const ResultFile& file : set.files) {
      const auto& [path, hash] = *file.origin;
      table.rows.push_back({set.name, fs::path(path).filename().string(), families(file),
                            std::to_string(file.records.size()),
                            hash.empty() ? "not known: no regular file" : hash});
    }
  return table;
}

std::string files_of(const Measurement& measurement) {
  return of_origins<&Origin::path>(measurement);
}

std::string hashes_of(const Measurement& measurement) {
  return of_origins<&Origin::sha256>(measurement);
}

std::vector<Attachment> attachments(std::span<const Results> results) {
  std::vector<Attachment> found;
  for (const auto& set : results)
    for (const ResultFile& file : set.files) {
      const auto& [path, hash] = *file.origin;
      if (hash.empty())
        throw file_error(path, "is no regular file and was read once already",
                         "save it to a file first, or leave out --embed");
      found.push_back({path, text_of_file(path)});
    }
  return found;
}

}  // namespace steelyard
