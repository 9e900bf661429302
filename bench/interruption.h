// SPDX-License-Identifier: Apache-2.0
// Ctrl-C, SIGTERM and SIGHUP: finish the sample, save the rows, leave. A second one ends at once.
#pragma once

#include <sys/types.h>

namespace steelyard {

void catch_interruptions();
bool interruption_asked();

// A child that is to get the same signal; 0 for none.
void forward_interruptions_to(pid_t child);

}  // namespace steelyard
