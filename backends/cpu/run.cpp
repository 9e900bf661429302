// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/run.h"

#include "backends/cpu/threads.h"

namespace steelyard::cpu {
namespace {

// One region, handed out from its start to its end.
class RegionArena final : public Arena {
 public:
  explicit RegionArena(std::int64_t bytes) : region_(bytes), free_(region_.data()) {}

  std::byte* allocate(const Operand&, std::int64_t bytes) override {
    return std::exchange(free_, free_ + bytes);
  }
  void upload(std::byte* to, const std::byte* from, std::int64_t bytes) override {
    parallel_copy(to, from, bytes);
  }
  void download(std::byte* to, const std::byte* from, std::int64_t bytes) override {
    parallel_copy(to, from, bytes);
  }
  void fill(std::byte* to, std::uint64_t word, std::int64_t bytes) override {
    parallel_fill(to, word, bytes);
  }
  std::uint64_t checksum(const std::byte* from, std::int64_t bytes) override {
    return parallel_checksum(from, bytes);
  }

 private:
  Region region_;
  std::byte* free_;
};

}  // namespace

std::unique_ptr<Run> make_run(const Problem& problem, const Inputs& inputs, Body body,
                              std::string detail, Body ahead) {
  pin_team();
  return steelyard::make_run(std::make_unique<RegionArena>(footprint(problem, inputs)), problem,
                             inputs, std::move(body),
                             {.detail = std::move(detail), .ahead = std::move(ahead)});
}

}  // namespace steelyard::cpu
