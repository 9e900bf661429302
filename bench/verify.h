// SPDX-License-Identifier: Apache-2.0
// Is what a Run computes right? METHOD.md has the bounds and where they come from.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/oracle.h"
#include "bench/freivalds.h"
#include "reports/record.h"

namespace steelyard {

// The truth of one problem on one fill, kept for all kernels that are measured on it.
class Truth {
 public:
  Truth(const Problem& problem, Fill fill, std::uint64_t seed, Encoding encoding);
  // Of inputs that make_inputs has made.
  Truth(const Problem& problem, std::vector<HostTensor> inputs, Encoding encoding);

  const Problem& problem() const { return problem_; }
  const std::vector<HostTensor>& inputs() const { return inputs_; }
  const std::vector<Expected>& exact() const { return exact_; }
  // The error that rounding to the problem's types causes alone; for attention.
  struct Unavoidable {
    double largest = 0, norm = 0;  // of an element; of all, in the Frobenius norm
  };
  const std::vector<Unavoidable>& unavoidable() const { return unavoidable_; }  // by output
  // Of a GEMM whose elements are sampled; null otherwise.
  const BlockFreivalds* whole_product() const { return whole_product_.get(); }
  // "fp8 is ocp" where a tensor is of such a type, else empty.
  const std::string& encoding() const { return encoding_; }
  // Of a step: what was found of its operations, by device, problem and kernel, all of it right. Its other
  // tiers have many of them too.
  std::map<std::string, Verdict>& operations() const { return operations_; }

 private:
  Problem problem_;
  std::vector<HostTensor> inputs_;
  std::vector<Expected> exact_;
  std::vector<Unavoidable> unavoidable_;
  std::unique_ptr<BlockFreivalds> whole_product_;
  std::string encoding_;
  mutable std::map<std::string, Verdict> operations_;
};

// Most host memory that a Truth and one comparison with it take.
double truth_bytes(const Problem& problem);

// Poisons the outputs of operand set `copy`, launches once and checks what came out, guard bands
// and inputs included. Integer outputs are checked under two poisons. `fingerprint`, where it is
// given, gets that of the outputs.
Verdict verify(Device& device, Run& run, int copy, const Truth& truth,
               std::size_t* fingerprint = nullptr);

// Poisons the outputs of operand set `copy` and launches once.
void launch_once(Device& device, Run& run, int copy);

// A hash of the outputs of operand set `copy`, as they are: equal for equal bits.
std::size_t fingerprint(Device& device, const Run& run, int copy);

// Whether outputs are updated in place, so that every launch has another result.
bool updates_in_place(const Run& run);

// The same as verify() without launching: for outputs that a timed launch has just left.
Verdict check(Device& device, Run& run, int copy, const Truth& truth,
              std::size_t* fingerprint = nullptr);

// Whether this is a long sum that is exact on small whole numbers, so that `integers` input must
// give bit-equal results on every device.
bool exact_in_integers(const Problem& problem);

// Whether `integers` input gives exactly the expected values. Verdict::check names the pass.
Verdict verify_exactly(Device& device, Run& run, const Truth& truth);

}  // namespace steelyard
