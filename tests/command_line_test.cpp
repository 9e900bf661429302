// SPDX-License-Identifier: Apache-2.0
#include "bench/command_line.h"

#include "bench/capacity.h"
#include "bench/reproduce.h"
#include "bench/suites.h"
#include "tests/catch.h"

namespace steelyard {
namespace {

Options parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "steelyard-gemm");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return parse_command_line("gemm", static_cast<int>(argv.size()), argv.data()).value();
}

TEST_CASE("defaults are the quick suite in bursts, rotating, on normal data") {
  const Options options = parse({});
  CHECK(options.suite == Suite::quick);
  CHECK(options.mode == Mode::burst);
  CHECK(options.cache == CachePolicy::rotate);
  CHECK(options.fill == Fill::normal);
  CHECK(options.repetitions == 1);
}

TEST_CASE("the longer suites settle first") {
  CHECK(parse({"--suite", "standard"}).mode == Mode::steady);
  CHECK(parse({"--suite", "full"}).mode == Mode::steady);
  CHECK(parse({"--suite", "gate"}).mode == Mode::burst);
  CHECK(parse({"--suite", "full", "--mode", "burst"}).mode == Mode::burst);
}

TEST_CASE("axes are lists, ranges that add and ranges that multiply") {
  CHECK(parse_axis("dtype=bf16,f32").values == std::vector<std::string>{"bf16", "f32"});
  CHECK(parse_axis("m=[10:40:10]").values == std::vector<std::string>{"10", "20", "30", "40"});
  CHECK(parse_axis("m=[1024:8192:*2]").values ==
        std::vector<std::string>{"1024", "2048", "4096", "8192"});
  CHECK(parse_axis("m=[1:9223372036854775807:*4611686018427387904]").values.size() == 2);
  for (const char* wrong : {"m", "=3", "m=", "m=[1:2]", "m=[5:1:1]", "m=[1:5:0]", "m=[1:9:*1]",
                            "m=[0:9:*2]", "m=[a:9:1]", "m=[1:100000:1]"})
    CHECK_THROWS_AS(parse_axis(wrong), UsageError);
}

TEST_CASE("durations have units") {
  CHECK(parse_duration("90") == 90);
  CHECK(parse_duration("90s") == 90);
  CHECK(parse_duration("1.5m") == 90);
  CHECK(parse_duration("1h") == 3600);
  for (const char* wrong : {"", "soon", "-1", "0", "5d", "inf", "nan"})
    CHECK_THROWS_AS(parse_duration(wrong), UsageError);
}

TEST_CASE("Google Benchmark's flags are mapped or refused by name") {
  const Options options = parse({"--benchmark_filter=gemm/f32", "--benchmark_repetitions=3",
                                 "--benchmark_out=x.json", "--benchmark_context=run=7"});
  CHECK(options.filter == "gemm/f32");
  CHECK(options.repetitions == 3);
  CHECK(options.json == "x.json");
  CHECK(options.labels == std::vector<std::pair<std::string, std::string>>{{"run", "7"}});
  CHECK(parse({"--benchmark_list_tests"}).list);
  CHECK_THROWS_WITH(parse({"--benchmark_min_time=2"}), ContainsSubstring("--benchmark_min_time"));
}

TEST_CASE("one file for two outputs is refused, however it is spelled") {
  CHECK_THROWS_WITH(parse({"--json", "a.json", "--csv", "./a.json"}),
                    ContainsSubstring("--csv ./a.json: --json names that file too"));
  CHECK_THROWS_WITH(parse({"--json", "a.json", "--csv", "b/../a.json"}),
                    ContainsSubstring("choose another"));
  CHECK(parse({"--json", "a.json", "--csv", "a.csv"}).csv == "a.csv");
}

TEST_CASE("a sweep is the product of its axes over the basis") {
  const auto problems =
      sweep(gemm_family(), {parse_axis("m=64,128"), parse_axis("dtype=f32,int8")});
  REQUIRE(problems.size() == 4);
  CHECK(id(problems[0]) == "gemm/f32/nn/64x1024x1024");
  CHECK(id(problems[1]) == "gemm/int8.int32/nn/64x1024x1024");
  CHECK(id(problems[3]) == "gemm/int8.int32/nn/128x1024x1024");
}

TEST_CASE("STREAM's scale is BabelStream's mul") {
  const auto problems = sweep(memory_family(), {parse_axis("op=scale"), parse_axis("bytes=1024")});
  CHECK(id(problems.at(0)) == "memory/mul/f64/1KiB");
}

TEST_CASE("a layer's sizes are swept, and sizes that its operation lacks are named") {
  const auto problems = sweep(layers_family(), {parse_axis("op=quantise"), parse_axis("rows=8"),
                                                parse_axis("quantised=int8,fp8_e5m2")});
  REQUIRE(problems.size() == 2);
  CHECK(id(problems[1]) == "layer/quantise/bf16.fp8_e5m2/8x4096");
  const auto caches =
      sweep(attention_family(), {parse_axis("pass=decode"), parse_axis("fp8_cache=false,true")});
  REQUIRE(caches.size() == 2);
  CHECK(id(caches[1]) == id(caches[0]) + "/fp8-cache");
  CHECK_THROWS_WITH(sweep(attention_family(), {parse_axis("fp8_cache=true")}),
                    ContainsSubstring("only decode reads an fp8 cache, not forward"));
  const auto impossible = [](std::vector<Axis> axes) { sweep(layers_family(), axes); };
  CHECK_THROWS_WITH(impossible({parse_axis("op=route")}), ContainsSubstring("entries"));
  CHECK_THROWS_WITH(impossible({parse_axis("op=route"), parse_axis("entries=8")}),
                    ContainsSubstring("choices"));
  CHECK_THROWS_WITH(impossible({parse_axis("op=bias_add"), parse_axis("pass=backward")}),
                    ContainsSubstring("no backward pass"));
  CHECK_THROWS_WITH(impossible({parse_axis("op=rope"), parse_axis("head_dim=1")}),
                    ContainsSubstring("even head_dim"));
  CHECK_THROWS_WITH(impossible({parse_axis("op=softmax")}), ContainsSubstring("one of rms_norm"));
}

TEST_CASE("a batch may be all that fit, of steps that have all of a model in memory") {
  const auto batches = [](const char* axis) {
    return sweep(llm_family(), {parse_axis("phase=decode"), parse_axis(axis)});
  };
  CHECK(has_open_batch(batches("batch=fit").at(0)));
  CHECK_FALSE(has_open_batch(batches("batch=7").at(0)));
  CHECK_THROWS_WITH(batches("batch=0"), ContainsSubstring("'0' is not a batch"));
  CHECK_THROWS_WITH(batches("batch=-1"), ContainsSubstring("impossible problem"));
  CHECK_THROWS_WITH(sweep(llm_family(), {parse_axis("phase=prefill"), parse_axis("batch=fit")}),
                    ContainsSubstring("only training and decoding"));
}

TEST_CASE("every suite of every family holds possible and distinct problems") {
  for (const Family* family :
       {&gemm_family(), &attention_family(), &memory_family(), &layers_family(), &llm_family()})
    for (const Suite suite : {Suite::quick, Suite::gate, Suite::standard, Suite::full}) {
      std::vector<std::string> ids;
      for (const Problem& problem : family->problems(suite)) {
        CAPTURE(id(problem));
        CHECK(fault(with_closed_batch(problem)).empty());
        ids.push_back(id(problem));
      }
      CHECK_FALSE(ids.empty());
      std::ranges::sort(ids);
      CHECK(std::ranges::adjacent_find(ids) == ids.end());
    }
}

TEST_CASE("the command that reproduces a row names it exactly and survives a shell") {
  const Options options = parse({"-a", "m=64", "--seed", "7", "--cache", "hot"});
  CHECK(reproduce_command("steelyard-gemm", options, "gemm/int8.int32/x/y") ==
        "steelyard-gemm -a 'm=64' --cache hot --seed 7 --mode burst --filter "
        "'^gemm/int8\\.int32/x/y$'");
}

}  // namespace
}  // namespace steelyard
