// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/child.h"
#include "reports/commands.h"
#include "reports/exit_code.h"
#include "reports/render.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

constexpr std::array programs = {"steelyard-gemm", "steelyard-attention", "steelyard-memory",
                                 "steelyard-layers", "steelyard-llm"};

// A crash is a device or program that was lost.
int exit_code(const fs::path& program, const Ended& ended) {
  if (ended.signal == 0) return ended.exit_code;
  complain(fmt::format("{} was killed by signal {} ({}); its finished rows are saved",
                       program.filename().string(), ended.signal, strsignal(ended.signal)));
  return device_error;
}

std::vector<fs::path> installed_programs() {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  std::vector<fs::path> found;
  for (const char* program : programs)
    if (access((folder / program).c_str(), X_OK) == 0) found.push_back(folder / program);
  if (found.empty())
    complain(fmt::format("no bench program in {}: build or install {} beside steelyard",
                         folder.string(), fmt::join(programs, ", ")));
  return found;
}

bool contains(const std::vector<std::string>& options, std::string_view option) {
  return std::any_of(options.begin(), options.end(), [&](const std::string& given) {
    return given == option || given.starts_with(std::string(option) + "=");
  });
}

std::vector<std::string> command(const fs::path& program, const RunOptions& options) {
  std::vector<std::string> result{program.string(), "--suite", options.suite};
  result.insert(result.end(), options.bench_options.begin(), options.bench_options.end());
  return result;
}

// The first line of what a program complains of, without its name.
std::string complaint(const std::string& errors, const std::string& name) {
  const std::string line = errors.substr(0, errors.find('\n'));
  return line.starts_with(name + ": ") ? line.substr(name.size() + 2) : line;
}

// Why a program has nothing to do under these options: no problem of its family matches, or it does
// not know an option that another family has. Nothing when it has.
std::optional<std::string> idle(const fs::path& program, const RunOptions& options) {
  auto listing = command(program, options);
  listing.push_back("--list");
  const Ended ended = capture(listing);
  if (ended.exit_code == usage_error) return complaint(ended.errors, program.filename().string());
  const bool listed_nothing = ended.exit_code == 0 && ended.signal == 0 && ended.output.empty();
  return listed_nothing ? std::optional<std::string>("no row matches") : std::nullopt;
}

std::vector<fs::path> busy_programs(const RunOptions& options) {
  std::vector<fs::path> busy;
  std::map<std::string, std::vector<std::string>> reasons;  // and the programs that give them
  for (const auto& program : installed_programs()) {
    if (SignalForwarding::interrupted()) return {};
    if (const auto reason = idle(program, options))
      reasons[*reason].push_back(program.filename().string());
    else
      busy.push_back(program);
  }
  for (const auto& [reason, names] : reasons)
    complain(fmt::format("{} {}: {}", busy.empty() ? "nothing to run for" : "skipped",
                         fmt::join(names, ", "), reason));
  return busy;
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

fs::path result_folder(const RunOptions& options) {
  if (!options.output.empty()) return options.output;
  return fs::path("results") / fmt::format("{:%Y%m%dT%H%M%SZ}-{}-{}",
                                           fmt::gmtime(std::time(nullptr)), host_name(),
                                           options.suite);
}

int run_all(const std::vector<fs::path>& busy, const RunOptions& options, const fs::path& folder) {
  int worst = 0;
  for (const auto& program : busy) {
    auto arguments = command(program, options);
    if (!folder.empty()) {
      const auto file = folder / (program.filename().string() + ".json");
      arguments.insert(arguments.end(), {"--json", file.string()});
    }
    const Ended ended = run_child(arguments);
    if (SignalForwarding::interrupted()) return interrupted;
    worst = stronger(worst, exit_code(program, ended));
    if (worst == interrupted) break;
  }
  return worst;
}

}  // namespace

int run(const RunOptions& options) try {
  for (const char* option : {"--json", "--csv", "--benchmark_out"})
    if (contains(options.bench_options, option)) {
      complain(
          fmt::format("{} belongs to one bench program; name the folder of all with -o", option));
      return usage_error;
    }
  const SignalForwarding forwarding;
  const auto busy = busy_programs(options);
  if (SignalForwarding::interrupted()) return interrupted;
  if (busy.empty()) return usage_error;
  if (contains(options.bench_options, "--list") || contains(options.bench_options, "--dry-run"))
    return run_all(busy, options, {});
  const auto folder = result_folder(options);
  fs::create_directories(folder);
  const int worst = run_all(busy, options, folder);
  std::fprintf(stderr, "Results are in %s; read them with: steelyard report %s\n",
               printable(folder.string()).c_str(), printable(folder.string()).c_str());
  return worst;
} catch (const std::system_error& error) {
  complain(error.what());
  return usage_error;
}

}  // namespace steelyard
