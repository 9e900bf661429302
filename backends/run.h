// SPDX-License-Identifier: Apache-2.0
// The Run that every backend uses: operand sets in the memory of a device, and a function over
// them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "backends/backend.h"

namespace steelyard {

// The tensors of one operand set, found by the names that operands() gives them.
class Arguments {
 public:
  explicit Arguments(std::span<const Tensor> tensors) : tensors_(tensors) {}

  const Tensor& tensor(std::string_view name) const;  // throws std::out_of_range, naming it
  void* data(std::string_view name) const { return tensor(name).data; }
  template <class T>
  T* get(std::string_view name) const {
    return static_cast<T*>(data(name));
  }

 private:
  std::span<const Tensor> tensors_;
};

// What one launch does: it enqueues and does not wait. Looks its tensors up in every call: launches
// rotate through operand sets.
using Body = std::function<void(const Arguments&)>;

// Memory that a Run's tensors lie in. Every function waits for what was enqueued before it, and is
// done when it returns.
class Arena {
 public:
  virtual ~Arena() = default;

  // Room for one tensor with its guard bands, aligned to tensor_alignment.
  virtual std::byte* allocate(const Operand& operand, std::int64_t bytes) = 0;
  virtual void upload(std::byte* to, const std::byte* from, std::int64_t bytes) = 0;
  virtual void download(std::byte* to, const std::byte* from, std::int64_t bytes) = 0;
  // The bytes of a word, repeated.
  virtual void fill(std::byte* to, std::uint64_t word, std::int64_t bytes) = 0;
  // A number that changes, in all likelihood, with any byte.
  virtual std::uint64_t checksum(const std::byte* from, std::int64_t bytes) = 0;
};

// What a Run does beside launching.
struct RunOptions {
  std::string detail;  // what Run::detail() says of the kernel
  // Done once to every operand set before its inputs are sealed: what a kernel may do beforehand,
  // such as reordering weights, and what makes the derived inputs.
  Body ahead = {};
  Encoding encoding = Encoding::ocp;  // of the device's fp8
};

// Lays out inputs.copies operand sets, fills them with make_inputs (or takes the bound tensors) and
// surrounds each tensor with guard bands.
std::unique_ptr<Run> make_run(std::unique_ptr<Arena> arena, const Problem& problem,
                              const Inputs& inputs, Body body, RunOptions options = {});

}  // namespace steelyard
