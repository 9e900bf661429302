// SPDX-License-Identifier: Apache-2.0
#include "bench/capacity.h"
#include "bench/models.h"
#include "bench/suites.h"

namespace steelyard {
namespace {

Transformer step(const std::string& model, Phase phase, std::int64_t batch, std::int64_t context) {
  Transformer p = find_model(model).shape;
  p.layers = 1;
  p.phase = phase;
  p.batch = batch;
  p.tokens = phase == Phase::decode ? 1 : context;
  p.context = context;
  return p;
}

// A block and the head in the three phases.
void phases(std::vector<Problem>& all, const std::string& model, std::int64_t trained,
            std::int64_t prompt, std::int64_t context,
            std::initializer_list<std::int64_t> batches) {
  all.push_back(step(model, Phase::train, 1, trained));
  all.push_back(step(model, Phase::prefill, 1, prompt));
  for (const std::int64_t batch : batches)
    all.push_back(step(model, Phase::decode, batch, context));
}

// What the scenarios of reports are made of (reports/scenarios.h), beside a prefill of 512.
void scenario_steps(std::vector<Problem>& all, const std::string& model) {
  for (const std::int64_t prompt : {1024, 8192})
    all.push_back(step(model, Phase::prefill, 1, prompt));
  for (const std::int64_t context : {1536, 4160, 5120, 8704})
    all.push_back(step(model, Phase::decode, 1, context));
  all.push_back(step(model, Phase::decode, 16, 1536));
}

Transformer with_weights(Transformer p, DType weights) {
  p.weights = weights;
  return p;
}

// 8 bits a number, but for activations.
Transformer all_fp8(Transformer p) {
  p.weights = DType::fp8_e4m3;
  p.fp8_cache = true;
  return p;
}

// Adapters, narrow weights and what they are used for, and what rl-step of reports is made of.
void post_training(std::vector<Problem>& all, const std::string& model, std::int64_t tokens) {
  all.push_back(step(model, Phase::lora, 1, tokens));
  for (const DType weights : {DType::fp8_e4m3, DType::int8})
    all.push_back(with_weights(step(model, Phase::quantise, 1, 1), weights));
  for (const DType weights : {DType::fp8_e4m3, DType::int8, DType::int4}) {
    all.push_back(with_weights(step(model, Phase::prefill, 1, 512), weights));
    for (const std::int64_t batch : {1, 32})
      all.push_back(with_weights(step(model, Phase::decode, batch, 4096), weights));
  }
  for (const std::int64_t batch : {1, 32, 64})
    all.push_back(all_fp8(step(model, Phase::decode, batch, 4096)));
  all.push_back(step(model, Phase::decode, 16, 512));
  all.push_back(step(model, Phase::score, 1, 1024));
  all.push_back(step(model, Phase::train, 1, 1024));
}

// "ctx8k, best batch that fits" of reports: it starves on 80 GB, not on 141 or 192.
void batches_at_8k(std::vector<Problem>& all) {
  for (const std::int64_t batch : {open_batch, std::int64_t{8}, std::int64_t{32}})
    all.push_back(with_weights(step("llama-3-70b", Phase::decode, batch, 8192), DType::fp8_e4m3));
}

// The same cache in pages, and contexts beside those of the scenarios.
void caches(std::vector<Problem>& all, const std::string& model) {
  for (const std::int64_t batch : {1, 64}) {
    Transformer p = step(model, Phase::decode, batch, 4096);
    p.page_size = 16;
    all.push_back(p);
  }
  for (const std::int64_t context : {1024, 16384, 32768})
    all.push_back(step(model, Phase::decode, 1, context));
}

// Decode steps so far, once more each: replayed as a graph.
void as_graphs(std::vector<Problem>& all) {
  for (std::size_t i = 0, end = all.size(); i < end; ++i) {
    auto p = std::get<Transformer>(all[i]);
    p.graph = true;
    if (p.phase == Phase::decode) all.push_back(p);
  }
}

std::vector<Problem> problems(Suite suite) {
  std::vector<Problem> all;
  switch (suite) {
    case Suite::quick:
      phases(all, "gpt2-124m", 64, 512, 512, {1});
      break;
    case Suite::gate:
      all.push_back(step("gpt2-124m", Phase::prefill, 1, 128));
      all.push_back(step("gpt2-124m", Phase::decode, 1, 512));
      break;
    case Suite::standard:
      phases(all, "llama-3-8b", 2048, 512, 4096, {open_batch, 8, 32, 64});
      as_graphs(all);
      scenario_steps(all, "llama-3-8b");
      caches(all, "llama-3-8b");
      post_training(all, "llama-3-8b", 2048);
      break;
    case Suite::full:
      for (const char* model : {"llama-3-8b", "qwen3-8b", "llama-3-70b"})
        phases(all, model, 8192, 512, 4096, {open_batch, 8, 32, 64, 128});
      as_graphs(all);
      for (const char* model : {"llama-3-8b", "qwen3-8b", "llama-3-70b"})
        scenario_steps(all, model);
      for (const char* model : {"llama-3-8b", "qwen3-8b", "llama-3-70b"}) caches(all, model);
      for (const char* model : {"llama-3-8b", "qwen3-8b", "llama-3-70b"})
        post_training(all, model, 8192);
      batches_at_8k(all);
      all.push_back(step("mixtral-8x7b", Phase::prefill, 1, 2048));
      for (const std::int64_t batch : {1, 8, 64})
        all.push_back(step("mixtral-8x7b", Phase::decode, batch, 4096));
      break;
  }
  return all;
}

void adapt(Problem& problem, const Options& options) {
  auto& p = std::get<Transformer>(problem);
  if (!options.model.empty()) p = asked_of(find_model(options.model), p);
  if (options.layers > 0) p.layers = options.layers;
}

}  // namespace

const Family& llm_family() {
  static const Family family = {"llm", problems, step("gpt2-124m", Phase::decode, 1, 512), adapt};
  return family;
}

}  // namespace steelyard
