// SPDX-License-Identifier: Apache-2.0
// Keeps a stream waiting until all of a window is enqueued, so that no gap between launches is
// the host's.
#pragma once

#include <cstdint>

#include "backends/gpu/gpu.h"

namespace steelyard::gpu {

// A kernel that reads a word of the host's memory until the host changes it, or it runs out of
// patience: what is behind it starts then in any case. Of the selected device.
class Hold {
 public:
  // Tries whether a launch returns before its kernel ends: where launches are synchronous (a
  // debugging setting, an emulator) nothing could be held.
  explicit Hold(StreamHandle stream);
  ~Hold();
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  // Whether a stream can be held at all.
  bool works() const { return works_; }

  void begin(StreamHandle stream);
  void end();  // lets go; at once when nothing is held
  // After the stream has been waited for: whether the last hold was let go, not given up. Queues are
  // finite: one that is full blocks the host that should let it go.
  bool held() const { return words_->given_up != round_; }

 private:
  struct Words {  // in the host's memory, seen by both
    volatile std::uint32_t released, given_up;
  };

  void enqueue(StreamHandle stream, std::int64_t reads);

  Words* words_ = nullptr;
  std::uint32_t round_ = 0;
  bool works_ = false;
};

}  // namespace steelyard::gpu
