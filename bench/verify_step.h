// SPDX-License-Identifier: Apache-2.0
// Is a step right? Each of its operations on what it really works on.
#pragma once

#include <map>
#include <string>

#include "bench/sequence.h"
#include "reports/record.h"

namespace steelyard {

// Resets the step and launches operation after operation, each checked against the truth of the
// inputs that it found; of equal ones (same problem, same kernel) the first, and none that is `known`,
// which gets those that are right. The verdict is that of the worst. `fingerprint`, where it is given, gets
// that of all outputs.
Verdict verify_step(Device& device, Sequence& sequence, int copy,
                    std::map<std::string, Verdict>& known, std::size_t* fingerprint);

// The same for what a launch of the whole step has left. Bits that verify_step found right need no
// second look. Others are judged as they lie, or, where the step overwrites what it works on, by
// verify_step again, knowing nothing, with a remark.
Verdict check_step(Device& device, Sequence& sequence, int copy, std::size_t* fingerprint);

}  // namespace steelyard
