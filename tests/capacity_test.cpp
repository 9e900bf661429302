// SPDX-License-Identifier: Apache-2.0
// What fits on a device.
#include "bench/capacity.h"

#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "backends/transformer.h"
#include "bench/models.h"
#include "bench/rows.h"
#include "catch.h"
#include "step_models.h"

using namespace steelyard;

TEST_CASE("the largest batch fits, and one more does not") {
  Transformer p = tiny(DType::bf16);
  p.phase = Phase::decode;
  p.context = 64;
  const auto bytes = [&](int batch) {
    p.batch = batch;
    return static_cast<std::int64_t>(resident_bytes(step_of(p)));
  };
  CHECK(largest_batch(p, bytes(37)) == 37);
  CHECK(largest_batch(p, bytes(37) - 1) == 36);
  CHECK(largest_batch(p, bytes(1)) == 1);
  CHECK(largest_batch(p, bytes(1) - 1) == 0);
}

namespace {

// A device that can hold less than is free.
class SmallDevice final : public Device {
 public:
  SmallDevice(int index, std::int64_t free, std::int64_t lost = 0) : free_(free), lost_(lost) {
    info_.backend = "small";
    info_.index = index;
    info_.memory_bytes = 2 * free;
  }
  const DeviceInfo& info() const override { return info_; }
  std::int64_t free_bytes() const override { return free_; }
  Elapsed time(Run&, const Window&) override { return {}; }
  HostTensor read(const Tensor&) override { return {}; }
  std::optional<bool> holds(std::span<const std::int64_t> sizes) override {
    return std::reduce(sizes.begin(), sizes.end()) <= free_ - lost_;
  }

 private:
  DeviceInfo info_;
  std::int64_t free_, lost_;
};

// Of Llama-3 70B with fp8 weights: 80 blocks of 855.6 million weights of a byte with an f32 scale a row
// and two norms, a head of 128256 x 8192 of two bytes beside as large a table, the last norm.
double weights_of_70b() {
  const double rows = 8192 + 2 * 1024 + 8192 + 2 * 28672 + 8192;
  const double block = 2.0 * 8192 * 8192 + 2.0 * 8192 * 1024 + 3.0 * 8192 * 28672;
  return 80 * (block + 4 * rows + 2 * 2 * 8192) + 2 * 2 * 128256.0 * 8192 + 2 * 8192;
}

Transformer decoding_70b() {
  Transformer p = find_model("llama-3-70b").shape;
  p.layers = 1;
  p.phase = Phase::decode;
  p.weights = DType::fp8_e4m3;
  p.context = 8192;
  return p;
}

}  // namespace

// 327680 bytes of cache a token. Their tensors beside the cache: logits and activations of a block.
TEST_CASE("a 70B model in fp8 starves on 80 GB and not on 141 or 192") {
  const double sequence = 8192 * 327680.0;
  for (const auto& [gigabytes, batch] : std::map<int, int>{{80, 2}, {141, 25}, {192, 44}}) {
    SmallDevice device(gigabytes, gigabytes * std::int64_t{1'000'000'000});
    const Capacity capacity = capacity_of(device, decoding_70b()).value();
    CHECK(capacity.weight_bytes == Approx(weights_of_70b()).epsilon(1e-9));
    CHECK(capacity.sequence_bytes == Approx(sequence).epsilon(0.001));
    CHECK(capacity.largest_batch == batch);
    CHECK(batch == std::floor((gigabytes * 1e9 - weights_of_70b()) / (1.001 * sequence)));
    CHECK(capacity.allocated);
    CHECK(static_cast<double>(capacity.largest_context) ==
          Approx((gigabytes * 1e9 - weights_of_70b()) / 327680).epsilon(0.001));
  }
}

// Mixtral has 46.7 billion weights, Llama-3 70B has 70.6.
TEST_CASE("the largest model of a device is known for each type") {
  const auto largest = [](int index, std::int64_t free, DType weights) {
    SmallDevice device(index, free);
    Transformer p = decoding_70b();
    p.weights = weights;
    p.context = 4096;
    return capacity_of(device, p)->largest_model.value();
  };
  CHECK(largest(10, 80'000'000'000, DType::bf16) == "qwen3-8b");
  CHECK(largest(11, 80'000'000'000, DType::fp8_e4m3) == "llama-3-70b");
  CHECK(largest(12, 141'000'000'000, DType::bf16) == "mixtral-8x7b");
  CHECK(largest(13, 192'000'000'000, DType::bf16) == "llama-3-70b");
  CHECK(largest(14, 100'000'000, DType::bf16) == "tiny");  // GPT-2 has no context of 4096
  CHECK(largest(15, 10'000, DType::bf16).empty());
}

TEST_CASE("a batch that is open goes to the largest of the whole model and one doubling beyond") {
  const auto batches = [](double gigabytes, Transformer p) {
    p.batch = open_batch;
    DeviceInfo device;
    device.memory_bytes = static_cast<std::int64_t>(gigabytes * 1e9);
    std::vector<std::int64_t> all;
    for (const Problem& problem : batches_that_fit(p, device))
      all.push_back(std::get<Transformer>(problem).batch);
    return all;
  };
  using Batches = std::vector<std::int64_t>;
  CHECK(batches(80, decoding_70b()) == Batches{1, 2, 4});
  CHECK(batches(141, decoding_70b()) == Batches{1, 2, 4, 8, 16, 25, 32});
  CHECK(batches(192, decoding_70b()) == Batches{1, 2, 4, 8, 16, 32, 44, 64});
  CHECK(batches(191, decoding_70b()) == batches(192, decoding_70b()));  // 43, of which 42 is kept
  CHECK(batches(1, decoding_70b()) == Batches{1});
  CHECK(batches(141, of_phase(tiny(DType::bf16), Phase::prefill, 3, 8)) == Batches{1});
}

TEST_CASE("a problem whose batch is not open, and an emulated device, have one batch") {
  DeviceInfo device;
  device.memory_bytes = 141'000'000'000;
  Transformer p = of_phase(tiny(DType::bf16), Phase::prefill, 3, 8);
  CHECK(id(batches_that_fit(p, device).at(0)) == id(p));
  device.emulated = true;
  Transformer open = decoding_70b();
  open.batch = open_batch;
  REQUIRE(batches_that_fit(open, device).size() == 1);
  CHECK(std::get<Transformer>(batches_that_fit(open, device).at(0)).batch == 1);
}

TEST_CASE("rows of a sweep stand once, and their commands find them again") {
  const auto devices = backends().front().open().devices;
  Options options;
  options.axes = {{"phase", {"decode"}}, {"batch", {"fit", "1", "8"}}};
  options.model = "llama-3-8b";
  options.tier = Tier::portable;
  const auto rows = make_rows(llm_family(), backends(), devices, options);
  REQUIRE(rows.size() >= 2);
  CHECK(std::get<Transformer>(rows[0].problem).batch == 1);
  CHECK(std::get<Transformer>(rows[1].problem).batch == 2);
  std::set<std::string> keys;
  for (const Row& row : rows) {
    CHECK(keys.insert(row.key).second);
    Options again = options;
    again.filter = "^" + row.key + "$";
    CHECK(make_rows(llm_family(), backends(), devices, again).size() == 1);
  }
}

TEST_CASE("what fits by counting and cannot be allocated does not count") {
  const std::int64_t free = 141'000'000'000;
  SmallDevice whole(0, free), sequence_less(1, free, 3'000'000'000),
      weights_less(2, free, free / 2);
  CHECK(capacity_of(whole, decoding_70b())->largest_batch == 25);
  CHECK(capacity_of(sequence_less, decoding_70b())->largest_batch == 24);
  CHECK(capacity_of(weights_less, decoding_70b())->largest_batch == 0);
}

TEST_CASE("blocks that come one after the other have no capacity") {
  SmallDevice device(3, 1 << 30);
  const Transformer tiny_model = tiny(DType::bf16);
  for (const Phase phase : {Phase::prefill, Phase::score, Phase::quantise})
    CHECK_FALSE(capacity_of(device, of_phase(tiny_model, phase, 1, 8)));
  Transformer gpt = find_model("gpt2-124m").shape;
  const auto trained = capacity_of(device, of_phase(gpt, Phase::train, 1, 128));
  CHECK(trained->largest_batch == 0);  // 16 bytes of each of 124 million weights alone
  const auto decoded = capacity_of(device, of_phase(gpt, Phase::decode, 1, 128));
  CHECK(decoded->largest_context == 1024);  // the model knows no other positions
}
