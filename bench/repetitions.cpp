// SPDX-License-Identifier: Apache-2.0
#include "bench/repetitions.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "bench/interruption.h"
#include "bench/next_run.h"
#include "reports/exit_code.h"

namespace steelyard {
namespace {

constexpr const char* variable = "STEELYARD_REPETITION";  // "2/5": the third of five

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const int signal = WTERMSIG(status);
  fmt::print(stderr, "a repetition was ended by signal {}; its finished rows are saved\n", signal);
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP ? interrupted : device_error;
}

}  // namespace

std::optional<Repetition> this_repetition() {
  const char* text = std::getenv(variable);
  Repetition repetition;
  if (text == nullptr || std::sscanf(text, "%d/%d", &repetition.index, &repetition.total) != 2)
    return std::nullopt;
  return repetition;
}

int run_repetitions(int total, const std::string& path, int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  std::string option = "--json", value = path;
  arguments.insert(arguments.end(), {option.data(), value.data(), nullptr});
  int strongest = passed;
  const auto begin = std::filesystem::file_time_type::clock::now();
  for (int index = 0; index < total && !interruption_asked(); ++index) {
    setenv(variable, fmt::format("{}/{}", index, total).c_str(), 1);
    fmt::print("repetition {} of {}\n", index + 1, total);
    std::fflush(stdout);
    pid_t child = 0;
    if (posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ) != 0)
      throw std::runtime_error("a repetition cannot be started: no more processes?");
    forward_interruptions_to(child);
    const int code = wait_for(child);
    forward_interruptions_to(0);
    strongest = stronger(strongest, code);
    if (code == usage_error || code == interrupted) break;
  }
  // Not where the first process refused to measure, and left an older file.
  std::error_code none;
  if (std::filesystem::last_write_time(path, none) >= begin && !none)
    fmt::print("\n{}", text(next_run(read_results(path).records)));
  return interruption_asked() ? interrupted : strongest;
}

}  // namespace steelyard
