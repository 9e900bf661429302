// SPDX-License-Identifier: Apache-2.0
#include "reports/run_into.h"

#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "reports/child.h"
#include "reports/command_words.h"
#include "reports/exit_code.h"
#include "reports/file_error.h"
#include "reports/series.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

std::string last_lines(const fs::path& log) {
  constexpr std::size_t most = 300;
  std::ifstream file(log);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  while (text.ends_with('\n')) text.pop_back();
  return one_line(text.size() > most ? "..." + text.substr(text.size() - most) : text);
}

}  // namespace

// Under another name until it is complete: a run that was killed is made again.
void run_into(const fs::path& file, const std::string& command, const std::string& filter,
              const std::string& who) {
  if (fs::exists(file)) return;
  const fs::path part = fs::path(file).replace_extension(".part");
  const fs::path log = fs::path(file).replace_extension(".log");
  fs::remove_all(part);
  const Ended ended = run_child(command_for(command, part.string(), filter), log);
  if (SignalForwarding::interrupted()) throw RunInterrupted{};
  if (ended.signal != 0)
    throw RunFailed(fmt::format("{} was killed by signal {} ({}); it wrote: {}", who, ended.signal,
                                strsignal(ended.signal), last_lines(log)),
                    device_error);
  if (!fs::exists(part))
    throw RunFailed(fmt::format("{} ended with {} and left no result file, whose place a command "
                                "names with {{out}}; it wrote: {}",
                                who, ended.exit_code, last_lines(log)),
                    ended.exit_code == usage_error ? usage_error : device_error);
  load_runs(part);  // complains of what is no result
  fs::rename(part, file);
}

}  // namespace steelyard
