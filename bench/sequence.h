// SPDX-License-Identifier: Apache-2.0
// A step made of Runs: each works on the tensors that earlier ones left on the device.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "backends/backend.h"
#include "backends/transformer.h"
#include "reports/record.h"

namespace steelyard {

// The kernel that computes an operation; throws where there is none.
using KernelChoice = std::function<Kernel(const Operation&)>;

// What a tensor holds before the first step: many values, or one number everywhere.
using StepValues = std::function<std::variant<HostTensor, double>(const Step&, std::size_t place)>;

class Sequence final : public Run {
 public:
  // One operation of the step, made ready.
  struct Part {
    Kernel kernel;
    std::unique_ptr<Run> run;
  };

  // A tensor lies where the first operation that uses it has it. `copies` steps, each with tensors of
  // its own, rotate.
  Sequence(Device& device, Step step, const KernelChoice& choose, const StepValues& values,
           int copies = 1);

  void launch(int copy) override;
  // Of every operation in turn, so that one may come several times.
  std::vector<Tensor> tensors(int copy) const override;
  void reset(int copy, int round) override;
  std::string damage(int copy) const override;  // names the operation
  int copies() const override { return static_cast<int>(chains_.size()); }
  std::string detail() const override;

  const Step& step() const { return step_; }
  // The outputs of a step that were found right, for as long as its values stay the same.
  struct Verified {
    std::size_t fingerprint = 0;
    Verdict verdict;
  };
  std::optional<Verified> verified;

  // Whether an operation overwrites what another made or what was there before: then the tensors of a
  // finished step are not what all of its operations worked on.
  bool rewrites() const { return rewrites_; }
  const std::vector<Part>& parts(int copy) const {
    return chains_.at(static_cast<std::size_t>(copy));
  }
  const Tensor& tensor(int copy, std::size_t place) const;  // of Step::tensors

 private:
  void append(Device& device, const Operation& operation, const KernelChoice& choose,
              const StepValues& values);

  Step step_;
  std::set<std::size_t> written_;  // tensors that some operation writes
  bool rewrites_ = false;
  std::vector<std::vector<Part>> chains_;    // by copy, in the order of operations
  std::vector<std::vector<Tensor>> places_;  // by copy: where each tensor lies
};

}  // namespace steelyard
