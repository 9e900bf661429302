// SPDX-License-Identifier: Apache-2.0
// Models as data, and steps as rows.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "backends/transformer.h"
#include "bench/command_line.h"
#include "bench/models.h"
#include "bench/rows.h"
#include "bench/sequence.h"
#include "bench/step_facts.h"
#include "bench/step_kernels.h"
#include "bench/step_values.h"
#include "bench/verify.h"
#include "bench/verify_step.h"
#include "catch.h"
#include "planted_kernels.h"
#include "step_models.h"

using namespace steelyard;

namespace {

constexpr std::string_view minimal = R"([[model]]
name = "mine"
source = "here"
width = 64
layers = 3
heads = 4
kv_heads = 2
head_dim = 16
ffn = 96
vocabulary = 300
)";

// What find_model says of a file with this text.
std::string complaint(const std::string& text) {
  const auto file = std::filesystem::temp_directory_path() / "steelyard_llm_test.toml";
  std::ofstream(file) << text;
  try {
    find_model(file.string());
  } catch (const UsageError& error) {
    const std::string message = error.what();
    return message.substr(file.string().size());
  }
  return "";
}

std::string with(std::string_view from, std::string_view to) {
  std::string text(minimal);
  return text.replace(text.find(from), from.size(), to);
}

// Weights of all blocks and the head, without the embedding.
double parameters(const Transformer& model) {
  Transformer p = model;
  p.layers = 1;
  p.context = p.tokens = 8;
  const Step one = step_of(p);
  p.layers = 2;
  const Step two = step_of(p);
  const double block = (bytes_of(two, Role::weight) - bytes_of(one, Role::weight)) / 2;
  const double rest = bytes_of(one, Role::weight) / 2 - block;
  return rest + block * static_cast<double>(model.layers);
}

Device& cpu() {
  static const auto all = backends().front().open();
  return *all.devices.front();
}

}  // namespace

// Published counts: 124 million; 8.03, 70.6 and 8.19 billion; 46.7 billion.
TEST_CASE("models have as many parameters as their authors say") {
  CHECK(parameters(find_model("gpt2-124m").shape) == Approx(124.4e6).epsilon(0.001));
  CHECK(parameters(find_model("llama-3-8b").shape) == Approx(8.03e9).epsilon(0.001));
  CHECK(parameters(find_model("llama-3-70b").shape) == Approx(70.55e9).epsilon(0.001));
  CHECK(parameters(find_model("qwen3-8b").shape) == Approx(8.19e9).epsilon(0.001));
  CHECK(parameters(find_model("mixtral-8x7b").shape) == Approx(46.7e9).epsilon(0.001));
}

// 51.47 GFLOP per token of Llama-3 8B at 8192: what Megatron-Bridge's 744 TFLOP/s at 14451 tokens/s say.
// 15.01 GB of weights for each step of decoding it: all but the embedding.
TEST_CASE("work of models is what others count") {
  Transformer p = find_model("llama-3-8b").shape;
  p.phase = Phase::train;
  p.tokens = p.context = 8192;
  CHECK(model_flops(p, step_of(p)) / 8192 == Approx(51.47e9).epsilon(0.001));
  p.phase = Phase::decode;
  p.tokens = 1;
  p.context = 4096;
  const double cache = 4096 * 131072.0;  // 131072 bytes a token
  CHECK(roof_bytes(step_of(p)) == Approx(15.01e9 + cache).epsilon(0.001));
}

// 32000 x 4096 of the head; of each of 32 blocks q, k, v, o, the router and two norms, and of 8 experts
// those two that the only row can go to; the last norm; a cache of one token.
TEST_CASE("a step reads no more experts than it has rows for") {
  Transformer p = find_model("mixtral-8x7b").shape;
  p.phase = Phase::decode;
  p.context = 1;
  const double d = 4096, block = 2 * d * d + 2 * d * 1024 + 8 * d + 2 * d + 2 * 3 * d * 14336;
  CHECK(roof_bytes(step_of(p)) == Approx(2 * (32000 * d + 32 * block + d) + 131072).epsilon(1e-9));
}

TEST_CASE("a row of a step says what it could be and how long its operations take") {
  const Problem problem = of_phase(tiny(DType::bf16), Phase::train, 2, 8);
  const auto run = step_kernels().front().prepare(cpu(), problem, {});
  Record record;
  describe_step(record, cpu(), problem, *run, 1);
  const Step step = step_of(std::get<Transformer>(problem));
  REQUIRE(record.step);
  add_rates(*record.step, cpu(), std::get<Transformer>(problem));
  CHECK(record.step->read_bytes_per_second > 0);
  CHECK(record.step->flops_per_second > 0);
  CHECK(record.step->largest_batch > 0);
  REQUIRE(record.parts.size() == step.operations.size());
  for (std::size_t i = 0; i < record.parts.size(); ++i) {
    CHECK(record.parts[i].name == step.operations[i].name);
    CHECK(record.parts[i].operation == id(step.operations[i].problem));
    CHECK(record.parts[i].chained_seconds > 0);
    CHECK(record.parts[i].cold_seconds > 0);
  }
}

// Rounding to the nearest of 255 steps between -amax and amax of a row: a uniform error of a step's 12th root.
// The largest of 64 normal numbers is 2.4 deviations on average, so that 0.0054 is expected.
TEST_CASE("what weights lose by being quantised is measured") {
  Transformer p = of_phase(tiny(DType::f32), Phase::quantise, 1, 1);
  p.weights = DType::int8;
  const auto run = step_kernels().front().prepare(cpu(), p, {});
  launch_once(cpu(), *run, 0);
  Record record;
  describe_step(record, cpu(), p, *run, 1);
  CHECK(record.step->quantisation_error.value() == Approx(2.4 / 127 / std::sqrt(12)).epsilon(0.15));
  CHECK(record.parts.size() == 2 * 7);  // q, k, v, o, gate, up, down
}

TEST_CASE("a suite of another model asks the same of it") {
  const auto devices = backends().front().open().devices;
  for (const Suite suite : {Suite::quick, Suite::gate, Suite::standard, Suite::full})
    for (const std::string& model : model_names()) {
      INFO(model << " " << static_cast<int>(suite));
      Options options;
      options.suite = suite;
      options.model = model;
      const auto rows = make_rows(llm_family(), backends(), devices, options);
      const auto graphs = std::ranges::count_if(
          rows, [](const Row& row) { return std::get<Transformer>(row.problem).graph; });
      // GPT-2 has no context of 4096.
      const bool replays =
          (suite == Suite::standard || suite == Suite::full) && model != "gpt2-124m";
      CHECK((graphs > 0) == replays);
      const auto paged = std::ranges::count_if(
          rows, [](const Row& row) { return std::get<Transformer>(row.problem).page_size > 0; });
      CHECK((paged > 0) == replays);
      const auto narrow = std::ranges::count_if(
          rows, [](const Row& row) { return std::get<Transformer>(row.problem).fp8_cache; });
      CHECK((narrow > 0) == (replays && model != "mixtral-8x7b"));  // no narrow weights of experts
    }
}

TEST_CASE("a quick look has the best of all kernels only where it is asked for") {
  const auto devices = backends().front().open().devices;
  const auto has_best = [&](const Options& options) {
    return std::ranges::any_of(make_rows(llm_family(), backends(), devices, options),
                               [](const Row& row) { return row.kernel.tier == Tier::best; });
  };
  CHECK_FALSE(has_best({.suite = Suite::quick}));
  CHECK(has_best({.suite = Suite::quick, .tier = Tier::best}));
  CHECK(has_best({.suite = Suite::quick, .axes = {{"batch", {"1"}}}}));
  CHECK(has_best({.suite = Suite::gate}));
}

TEST_CASE("a CPU replays no graphs, and says so") {
  Transformer p = of_phase(tiny(DType::bf16), Phase::decode, 1, 8);
  p.graph = true;
  for (const Kernel& kernel : step_kernels())
    CHECK(kernel.supports(p, cpu().info()).reason == "a CPU replays no graphs");
}

TEST_CASE("a model of one's own is a file") {
  CHECK(complaint(std::string(minimal)).empty());
  CHECK(complaint(with("width = 64", "widht = 64")) == ":4: unknown key widht");
  CHECK(complaint(with("ffn = 96\n", "")) == ":1: a model needs the key ffn");
  CHECK(complaint(with("ffn = 96", "ffn = 0")) == ":9: ffn takes a whole number above 0");
  CHECK(complaint(with("ffn = 96", "ffn = 9.5")) == ":9: ffn takes a whole number above 0");
  CHECK(complaint(with("kv_heads = 2", "kv_heads = 3")) ==
        ":1: heads=4 is not a multiple of kv_heads=3");
  CHECK(complaint(with("\"mine\"", "\"my/own\"")) ==
        ":2: name takes letters, digits, '-', '.' and '_'");
  CHECK(complaint("[[model]\n").starts_with(":1: "));
  CHECK(complaint("") == ": it holds 0 models [[model]], and one is wanted");
  CHECK(complaint("models = 1\n") == ":1: unknown key models; a model is a table [[model]]");
  CHECK_THROWS_WITH(find_model("gpt-9"), ContainsSubstring("there are: gpt2-124m, llama-3-8b"));
}

TEST_CASE("a step is verified operation by operation, in all phases and tiers") {
  std::vector<Transformer> steps;
  for (const Phase phase : {Phase::train, Phase::lora, Phase::score, Phase::prefill, Phase::decode})
    steps.push_back(of_phase(tiny(DType::bf16), phase, 2, 8));
  for (const DType weights : {DType::fp8_e4m3, DType::int8, DType::int4}) {
    Transformer narrow = tiny(DType::bf16);
    narrow.weights = weights;
    steps.push_back(of_phase(narrow, Phase::decode, 2, 8));
    if (weights != DType::int4) steps.push_back(of_phase(narrow, Phase::quantise, 1, 1));
  }
  for (const std::int64_t page_size : {0, 4}) {
    Transformer narrow = of_phase(tiny(DType::bf16), Phase::decode, 2, 8);
    narrow.weights = DType::fp8_e4m3;
    narrow.page_size = page_size;
    narrow.fp8_cache = true;
    steps.push_back(narrow);
  }
  for (const Problem problem : steps) {
    const Truth truth(problem, {}, Encoding::ocp);
    for (const Kernel& kernel : step_kernels()) {
      INFO(id(problem) << " " << name(kernel.tier));
      REQUIRE(kernel.supports(problem, cpu().info()).answer == Support::yes);
      const auto run = kernel.prepare(cpu(), problem, {});
      std::size_t parts = 0, whole = 0;
      const Verdict first = verify(cpu(), *run, 0, truth, &parts);
      CHECK(first.ok);
      CHECK_THAT(first.check, ContainsSubstring("different operations"));
      const bool first_tier = kernel.tier == step_kernels().front().tier;
      CHECK((first.check.find("in another tier's row") != std::string::npos) != first_tier);
      launch_once(cpu(), *run, 0);
      CHECK(fingerprint(cpu(), *run, 0) == parts);
      const Verdict last = check(cpu(), *run, 0, truth, &whole);
      CHECK(last.ok);
      CHECK(whole == parts);
    }
  }
}

TEST_CASE("a wrong kernel inside a step is found and named") {
  for (const std::string_view fault :
       {planted_correct, std::string_view("wrong_element"), std::string_view("missing_last_k")}) {
    const Kernel planted = planted_backend({fault}).kernels.at(0);
    const auto choose = [&](const Operation& operation) {
      const auto* gemm = std::get_if<Gemm>(&operation.problem);
      if (gemm != nullptr && gemm->beta == 0 &&
          planted.supports(operation.problem, cpu().info()).answer == Support::yes)
        return planted;
      for (const Kernel& kernel : backends().front().kernels)
        if (!kernel.reads_b_ahead &&
            kernel.supports(operation.problem, cpu().info()).answer == Support::yes)
          return kernel;
      throw std::logic_error("no kernel for " + operation.name);
    };
    Sequence sequence(cpu(), step_of(of_phase(tiny(DType::f32), Phase::train, 2, 8)), choose,
                      [](const Step& step, std::size_t place) {
                        return initial_values(step, place, Fill::normal, 42);
                      });
    std::map<std::string, Verdict> known;
    const Verdict verdict = verify_step(cpu(), sequence, 0, known, nullptr);
    INFO(fault << ": " << verdict.check);
    CHECK(verdict.ok == (fault == planted_correct));
    if (!verdict.ok)
      CHECK(verdict.check.find("input gradient, " + std::string(fault)) != std::string::npos);
  }
}
