// SPDX-License-Identifier: Apache-2.0
// steelyard-gemm on the CPU, each launch STEELYARD_SLOWDOWN times as long: a regression of known size
// for scripts/check_gate.py.
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "bench/run.h"

using namespace steelyard;

namespace {

double slowdown() {
  static const char* const text = std::getenv("STEELYARD_SLOWDOWN");
  return text == nullptr ? 1 : std::strtod(text, nullptr);
}

// Spins after every launch, which the CPU has finished when it returns.
class SlowedRun final : public Run {
 public:
  explicit SlowedRun(std::unique_ptr<Run> run) : run_(std::move(run)) {}

  void launch(int copy) override {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    run_->launch(copy);
    const auto end = begin + slowdown() * (Clock::now() - begin);
    while (Clock::now() < end) {
    }
  }
  std::vector<Tensor> tensors(int copy) const override { return run_->tensors(copy); }
  void reset(int copy, int round) override { run_->reset(copy, round); }
  std::string damage(int copy) const override { return run_->damage(copy); }
  int copies() const override { return run_->copies(); }
  std::string detail() const override { return run_->detail(); }

 private:
  std::unique_ptr<Run> run_;
};

const Backend& cpu() {
  return backends().front();
}

template <std::size_t i>
std::unique_ptr<Run> prepare_slowed(Device& device, const Problem& problem, const Inputs& inputs) {
  return std::make_unique<SlowedRun>(cpu().kernels.at(i).prepare(device, problem, inputs));
}

// A table has plain functions, so each of its rows needs its own.
template <std::size_t... i>
Backend slowed(std::index_sequence<i...>) {
  constexpr std::array prepare = {&prepare_slowed<i>...};
  Backend backend = cpu();
  for (std::size_t k = 0; k < backend.kernels.size(); ++k)
    backend.kernels[k].prepare = prepare.at(k);
  return backend;
}

}  // namespace

int main(int argc, char** argv) {
  const Backend backend = slowed(std::make_index_sequence<128>());
  return run(gemm_family(), {&backend, 1}, argc, argv);
}
