// SPDX-License-Identifier: Apache-2.0
#include "bench/interruption.h"

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace steelyard {
namespace {

static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free,
              "a signal handler may touch them");
std::atomic<bool> asked = false;
std::atomic<pid_t> receiver = 0;

void handle(int signal) {
  asked = true;
  if (const pid_t child = receiver; child > 0) kill(child, signal);
}

}  // namespace

void catch_interruptions() {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

bool interruption_asked() {
  return asked;
}

void forward_interruptions_to(pid_t child) {
  receiver = child;
}

}  // namespace steelyard
