// SPDX-License-Identifier: Apache-2.0
#include "reports/child.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace steelyard {
namespace {

constexpr std::array forwarded = {SIGINT, SIGTERM, SIGHUP};

std::atomic<pid_t> child = 0;
std::atomic<bool> told_to_end = false;
static_assert(std::atomic<pid_t>::is_always_lock_free);  // used in a signal handler

void forward(int signal) {
  told_to_end = true;
  if (const pid_t group = child; group > 0) kill(-group, signal);
}

sigset_t forwarded_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : forwarded) sigaddset(&set, signal);
  return set;
}

// Holds the signals back until the child that they are meant for is known.
class SignalsHeld {
 public:
  SignalsHeld() {
    const sigset_t set = forwarded_set();
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_;
};

struct Redirection {
  int from, to;  // the child's descriptor `to` is this program's `from`
};

pid_t spawn(const std::vector<std::string>& command, const std::vector<Redirection>& redirections,
            const sigset_t& mask) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const auto& [from, to] : redirections) posix_spawn_file_actions_adddup2(&actions, from, to);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &mask);

  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), command.front());
  return pid;
}

Ended run_to_end(const std::vector<std::string>& command,
                 const std::vector<Redirection>& redirections) {
  {
    const SignalsHeld held;
    child = spawn(command, redirections, held.before());
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  child = 0;
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  return {.exit_code = WEXITSTATUS(status)};
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File temporary_file() {
  File file(std::tmpfile(), std::fclose);
  if (!file) throw std::system_error(errno, std::generic_category(), "a temporary file");
  return file;
}

std::string contents(std::FILE* file) {
  std::rewind(file);
  std::string text;
  std::array<char, 4096> block;
  for (std::size_t n; (n = std::fread(block.data(), 1, block.size(), file)) > 0;)
    text.append(block.data(), n);
  return text;
}

}  // namespace

SignalForwarding::SignalForwarding() {
  struct sigaction action {};
  action.sa_handler = forward;
  action.sa_flags = SA_RESTART;
  for (const int signal : forwarded) sigaction(signal, &action, nullptr);
}

SignalForwarding::~SignalForwarding() {
  for (const int number : forwarded) signal(number, SIG_DFL);
}

bool SignalForwarding::interrupted() {
  return told_to_end;
}

Ended run_child(const std::vector<std::string>& command) {
  return run_to_end(command, {});
}

Ended run_child(const std::vector<std::string>& command, const std::filesystem::path& log) {
  const File file(std::fopen(log.c_str(), "w"), std::fclose);
  if (!file) throw std::system_error(errno, std::generic_category(), log.string());
  const int to = fileno(file.get());
  return run_to_end(command, {{to, STDOUT_FILENO}, {to, STDERR_FILENO}});
}

Ended capture(const std::vector<std::string>& command) {
  const File output = temporary_file(), errors = temporary_file();
  Ended ended = run_to_end(
      command, {{fileno(output.get()), STDOUT_FILENO}, {fileno(errors.get()), STDERR_FILENO}});
  ended.output = contents(output.get());
  ended.errors = contents(errors.get());
  return ended;
}

}  // namespace steelyard
