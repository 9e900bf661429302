// SPDX-License-Identifier: Apache-2.0
// Is a step right? Each of its operations on what it really works on.
#pragma once

#include "bench/sequence.h"
#include "reports/record.h"

namespace steelyard {

// Resets the step and launches operation after operation, each checked against the truth of the
// inputs that it found; of equal ones (same problem, same kernel) the first. The verdict is that of
// the worst. `fingerprint`, where it is given, gets that of all outputs.
Verdict verify_step(Device& device, Sequence& sequence, int copy, std::size_t* fingerprint);

// The same for what a launch of the whole step has left, without launching: for steps that write no
// tensor twice. Of others the operations are launched again as in verify_step, and a remark is added
// where they leave other bits than the whole did.
Verdict check_step(Device& device, Sequence& sequence, int copy, std::size_t* fingerprint);

}  // namespace steelyard
