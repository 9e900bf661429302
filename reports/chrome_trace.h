// SPDX-License-Identifier: Apache-2.0
// Steps as timelines, for chrome://tracing and Perfetto.
#pragma once

#include <span>
#include <string>

#include "reports/record.h"

namespace steelyard {

// JSON in the Trace Event Format: a process for each row that has parts, in it one complete event for
// each operation. Operations were timed one by one and are laid end to end: between them a step may
// wait, or overlap them.
std::string chrome_trace(std::span<const Record> records);

}  // namespace steelyard
