// SPDX-License-Identifier: Apache-2.0
#include "reports/gate_runs.h"

#include <fmt/format.h>

#include "reports/command_words.h"
#include "reports/file_error.h"
#include "reports/json_place.h"
#include "reports/json_writer.h"
#include "reports/open_file.h"
#include "reports/replace_file.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

constexpr std::array names = {"baseline", "candidate"};

std::string state_of(const std::array<std::string, 2>& commands) {
  std::string out;
  JsonWriter json(out);
  json.begin_object(JsonWriter::lines);
  json.member("form", "steelyard gate 1");
  for (const int side : {0, 1}) json.member(names[side], commands[side]);
  json.end();
  return out + "\n";
}

void require_same_commands(const fs::path& state, const std::array<std::string, 2>& commands) {
  const nlohmann::json document = parse_json(text_of_file(state), state);
  const JsonPlace root(document, state);
  for (const int side : {0, 1})
    if (root.at(names[side]).text() != commands[side])
      throw file_error(state, fmt::format("belongs to another {} command", names[side]),
                       "choose another folder with -o, or delete this one");
}

}  // namespace

void claim_folder(const fs::path& folder, const std::array<std::string, 2>& commands) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw file_error(folder, "cannot be made: " + error.message(), "choose another with -o");
  const fs::path state = folder / "gate.json";
  if (fs::exists(state))
    require_same_commands(state, commands);
  else
    replace_file(state, state_of(commands));
}

GateRuns::GateRuns(fs::path folder, std::array<std::string, 2> commands)
    : folder_(std::move(folder)), commands_(std::move(commands)) {
  for (const std::string& command : commands_) split_words(command);  // complains early
  claim_folder(folder_, commands_);
  for (const char* side : names) fs::create_directory(folder_ / side);
  while (fs::exists(result(base, pairs_)) && fs::exists(result(candidate, pairs_))) ++pairs_;
}

fs::path GateRuns::result(Side side, int pair) const {
  return folder_ / names[side] / fmt::format("{:03}.json", pair + 1);
}

void GateRuns::run_pair(const std::set<std::string>& rows) {
  constexpr std::size_t longest_argument = 100'000;  // the kernel takes 128 KiB
  std::string filter = exactly(rows);
  if (filter.size() > longest_argument) filter.clear();
  const auto begin = std::chrono::steady_clock::now();
  const std::array order =
      pairs_ % 2 == 0 ? std::array{base, candidate} : std::array{candidate, base};
  for (const Side side : order)
    run_into(result(side, pairs_), commands_[side], filter,
             fmt::format("{} run {}", names[side], pairs_ + 1));
  spent_ += std::chrono::steady_clock::now() - begin;
  ++pairs_;
  ++own_pairs_;
}

RunSet GateRuns::load(Side side) const {
  std::vector<fs::path> files;
  for (int pair = 0; pair < pairs_; ++pair) files.push_back(result(side, pair));
  return load_runs(files, commands_[side]);
}

double GateRuns::seconds_per_pair() const {
  return own_pairs_ == 0 ? 0 : spent_.count() / own_pairs_;
}

}  // namespace steelyard
