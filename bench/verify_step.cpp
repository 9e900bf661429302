// SPDX-License-Identifier: Apache-2.0
#include "bench/verify_step.h"

#include <fmt/format.h>

#include <set>

#include "bench/rows.h"
#include "bench/verify.h"

namespace steelyard {
namespace {

// What a launch updates is copied; the rest is judged where it lies.
std::vector<HostTensor> inputs_of(Device& device, const Run& run) {
  std::vector<HostTensor> inputs;
  for (const Tensor& tensor : run.tensors(0)) {
    const Access access = tensor.operand.access;
    if (access == Access::in) inputs.push_back(device.look_at(tensor));
    if (access == Access::inout) inputs.push_back(device.read(tensor));
  }
  return inputs;
}

// What is known of an operation, unless it wrote this time what it must not.
Verdict undamaged(Verdict known, const Run& run) {
  if (const std::string damage = run.damage(0); !damage.empty()) {
    known.ok = false;
    known.check += "; " + damage;
  }
  return known;
}

Verdict judge(Device& device, const Sequence::Part& part, const Problem& problem,
              std::vector<HostTensor> inputs) {
  const Truth truth(problem, std::move(inputs), device.info().fp8);
  return check(device, *part.run, 0, truth);
}

// Of all operations in their order, launched or as they are.
Verdict judge(Device& device, Sequence& sequence, int copy, bool launch,
              std::map<std::string, Verdict>& known) {
  Verdict worst = {.ok = true};
  std::string where;
  std::set<std::string> seen;
  std::size_t known_before = 0;
  const auto& operations = sequence.step().operations;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Sequence::Part& part = sequence.parts(copy)[i];
    const std::string what = fmt::format("{} {} {}", device_id(device.info()),
                                         id(operations[i].problem), part.kernel.name);
    const bool first = seen.insert(what).second, judged = known.contains(what);
    std::vector<HostTensor> inputs;
    if (first && !judged) inputs = inputs_of(device, *part.run);
    if (launch) device.time(*part.run, {.launches = 1});
    if (!first) continue;
    const Verdict verdict = judged ? undamaged(known[what], *part.run)
                                   : judge(device, part, operations[i].problem, std::move(inputs));
    known_before += judged ? 1 : 0;
    if (verdict.ok) known[what] = verdict;
    if (verdict.ok && verdict.error <= worst.error) continue;
    worst = verdict;
    where = fmt::format("{}, {}", operations[i].name, part.kernel.name);
    if (!verdict.ok) break;
  }
  worst.check = fmt::format(
      "{} different operations of {} on the step's own data{}; the worst is {}: {}", seen.size(),
      operations.size(),
      known_before > 0 ? fmt::format(", {} of them in another tier's row", known_before) : "",
      where, worst.check);
  return worst;
}

}  // namespace

Verdict verify_step(Device& device, Sequence& sequence, int copy,
                    std::map<std::string, Verdict>& known, std::size_t* hash) {
  sequence.reset(copy, 0);
  const Verdict verdict = judge(device, sequence, copy, true, known);
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
  std::map<std::string, Verdict> nothing;
  if (!sequence.rewrites()) return judge(device, sequence, copy, false, nothing);
  Verdict verdict = verify_step(device, sequence, copy, nothing, nullptr);
  verdict.check += "; launched one by one its operations leave other bits than at once";
  return verdict;
}

}  // namespace steelyard
