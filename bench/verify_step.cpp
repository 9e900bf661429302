// SPDX-License-Identifier: Apache-2.0
#include "bench/verify_step.h"

#include <fmt/format.h>

#include <set>

#include "bench/verify.h"

namespace steelyard {
namespace {

std::vector<HostTensor> inputs_of(Device& device, const Run& run) {
  std::vector<HostTensor> inputs;
  for (const Tensor& tensor : run.tensors(0))
    if (tensor.operand.access != Access::out) inputs.push_back(device.read(tensor));
  return inputs;
}

// Of all operations in their order, launched or as they are.
Verdict judge(Device& device, Sequence& sequence, int copy, bool launch) {
  Verdict worst = {.ok = true};
  std::string where;
  std::set<std::string> judged;
  const auto& operations = sequence.step().operations;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Sequence::Part& part = sequence.parts(copy)[i];
    const bool first =
        judged.insert(id(operations[i].problem) + std::string(part.kernel.name)).second;
    std::vector<HostTensor> inputs;
    if (first) inputs = inputs_of(device, *part.run);
    if (launch) device.time(*part.run, {.launches = 1});
    if (!first) continue;
    const Truth truth(operations[i].problem, std::move(inputs), device.info().fp8);
    const Verdict verdict = check(device, *part.run, 0, truth);
    if (verdict.ok && verdict.error <= worst.error) continue;
    worst = verdict;
    where = fmt::format("{}, {}", operations[i].name, part.kernel.name);
    if (!verdict.ok) break;
  }
  worst.check =
      fmt::format("{} different operations of {} on the step's own data; the worst is {}: {}",
                  judged.size(), operations.size(), where, worst.check);
  return worst;
}

}  // namespace

Verdict verify_step(Device& device, Sequence& sequence, int copy, std::size_t* hash) {
  sequence.reset(copy, 0);
  const Verdict verdict = judge(device, sequence, copy, true);
  const std::size_t left = fingerprint(device, sequence, copy);
  if (hash != nullptr) *hash = left;
  if (verdict.ok) sequence.verified = {left, verdict};
  return verdict;
}

Verdict check_step(Device& device, Sequence& sequence, int copy, std::size_t* hash) {
  const std::size_t left = fingerprint(device, sequence, copy);
  if (hash != nullptr) *hash = left;
  if (sequence.verified && sequence.verified->fingerprint == left)
    return sequence.verified->verdict;
  if (!sequence.rewrites()) return judge(device, sequence, copy, false);
  Verdict verdict = verify_step(device, sequence, copy, nullptr);
  verdict.check += "; launched one by one its operations leave other bits than at once";
  return verdict;
}

}  // namespace steelyard
