// SPDX-License-Identifier: Apache-2.0
// The whole of a bench binary. A main() is one line, so that tests link it with backends of their
// own.
#pragma once

#include <span>

#include "backends/backend.h"
#include "bench/suites.h"

namespace steelyard {

// Measures what the command line asks for and returns an ExitCode; explains itself on stderr.
int run(const Family& family, std::span<const Backend> backends, int argc, char** argv);

}  // namespace steelyard
