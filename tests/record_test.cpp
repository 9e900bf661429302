// SPDX-License-Identifier: Apache-2.0
#include "reports/record.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "tests/catch.h"
#include "tests/corpus.h"
#include "tests/generate_results.h"

using namespace steelyard;

namespace {

std::string error_of(std::string_view text) {
  try {
    from_json(text, "file.json");
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

// "FILE: what is wrong; remedy", whatever the file holds.
bool is_one_line(std::string_view message) {
  return message.starts_with("file.json: ") && message.find("; ") != message.npos &&
         message.size() < 2000 &&
         std::ranges::all_of(message, [](unsigned char c) { return c >= 0x20; });
}

}  // namespace

TEST_CASE("every status has a name that is read back") {
  for (auto status : {Status::ok, Status::unsupported, Status::skipped, Status::failed,
                      Status::incorrect, Status::implausible}) {
    CHECK(parse_status(name(status)) == status);
  }
  CHECK(name(Status::implausible) == "implausible");
  CHECK_FALSE(parse_status("OK"));
  CHECK_FALSE(parse_status(""));
}

TEST_CASE("the row key joins what a row is compared by") {
  const Record record{.id = "gemm/f32/nn/2x3x4",
                      .kernel = "onednn",
                      .tier = "library",
                      .device = "cpu:0",
                      .fill = "normal",
                      .cache = "rotate",
                      .mode = "steady"};
  CHECK(key(record) == "gemm/f32/nn/2x3x4/onednn/library/cpu:0/normal/rotate/steady");
}

TEST_CASE("a comparability key is the SHA-256 of canonical JSON") {
  // printf '{"a":"x","b":1,"c":null,"d":true,"e":0.5}' | sha256sum
  const auto made =
      comparability({{"b", std::int64_t{1}}, {"a", "x"}, {"e", 0.5}, {"d", true}, {"c", nullptr}});
  CHECK(made->key == "8e386caee3b403c739c444761883160e22c75268b4d8b5722d03a539c20a316f");
  CHECK(made->fields.front().first == "a");
  // printf '{}' | sha256sum
  CHECK(comparability({})->key ==
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

TEST_CASE("a comparability key depends on values, not on their order") {
  const auto a = comparability({{"x", std::int64_t{1}}, {"y", std::int64_t{2}}});
  const auto b = comparability({{"y", std::int64_t{2}}, {"x", std::int64_t{1}}});
  const auto c = comparability({{"y", std::int64_t{1}}, {"x", std::int64_t{2}}});
  CHECK(a->key == b->key);
  CHECK(a->key != c->key);
}

TEST_CASE("reading and writing again gives the same bytes") {
  for (const auto& [name, file] : good_files()) {
    INFO(name);
    const std::string text = to_json(file);
    CHECK(to_json(from_json(text, "file.json")) == text);
  }
}

TEST_CASE("records come back in the order in which they were tried") {
  const ResultFile file = generate_results(40, 2);
  const ResultFile read = from_json(to_json(file), "file.json");
  REQUIRE(read.records.size() == 40);
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(key(read.records[i]) == key(file.records[i]));
    CHECK(read.records[i].status == file.records[i].status);
    CHECK(read.records[i].reason == file.records[i].reason);
  }
}

TEST_CASE("times keep their bits") {
  ResultFile file = generate_results(1, 1);
  auto& samples = file.records[0].timing.samples_seconds;
  std::mt19937_64 bits(7);
  samples = {1.5e-6, 0x1p-20, 1.0 / 3, 0, 5e-324, 1e290};
  while (samples.size() < 5000) {
    // Any exponent from 2^-600 to 2^400, any fraction.
    const std::uint64_t exponent = 423 + bits() % 1000;
    samples.push_back(std::bit_cast<double>(exponent << 52 | bits() >> 12));
  }
  const ResultFile read = from_json(to_json(file), "file.json");
  CHECK(read.records[0].timing.samples_seconds == samples);
}

TEST_CASE("times are written in nanoseconds") {
  ResultFile file = generate_results(1, 1);
  Timing& timing = file.records[0].timing;
  timing.samples_seconds = {1.5e-6, 0x1p-20, 2, 1e-9, 1.25e-10};
  timing.median_seconds = 0.125;
  const std::string text = to_json(file);
  CHECK_THAT(text, ContainsSubstring(
                       R"("samples_ns": [1500.0, 953.67431640625, 2000000000.0, 1.0, 0.125])"));
  CHECK_THAT(text, ContainsSubstring(R"("real_time": 125000000.0, "cpu_time": 125000000.0)"));
}

TEST_CASE("rates are work over the median time and absent without work") {
  ResultFile file = generate_results(1, 1);
  file.records[0].timing.median_seconds = 0.5;
  file.records[0].flops = 3;
  file.records[0].bytes = 0;
  const std::string text = to_json(file);
  CHECK_THAT(text, ContainsSubstring(R"("flops_per_second": 6.0)"));
  CHECK_THAT(text, !ContainsSubstring("bytes_per_second"));
}

TEST_CASE("whole numbers beyond 2^53 survive as seeds") {
  ResultFile file = generate_results(1, 1);
  for (std::uint64_t seed :
       {std::uint64_t{1} << 53, (std::uint64_t{1} << 53) + 1, ~std::uint64_t{0}}) {
    file.records[0].seed = seed;
    CHECK(from_json(to_json(file), "file.json").records[0].seed == seed);
  }
  CHECK_THAT(to_json(file), ContainsSubstring(R"("seed": "18446744073709551615")"));
}

TEST_CASE("rows of one file share their conditions") {
  const ResultFile read = from_json(to_json(generate_results(20, 2)), "file.json");
  CHECK(read.records[0].conditions == read.records[19].conditions);
  CHECK(read.records[0].identity != read.records[19].identity);
}

TEST_CASE("bytes that are not UTF-8 are replaced one by one") {
  ResultFile file;
  file.context.argv = {
      "a\xFF"
      "b",
      "\xE2\x82", "\xC3\xA9", "\xED\xA0\x80", "\xF4\x90\x80\x80"};
  const std::string_view mark = "\xEF\xBF\xBD";
  const auto argv = from_json(to_json(file), "file.json").context.argv;
  const auto marks = [&](int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += mark;
    return text;
  };
  CHECK(argv ==
        std::vector<std::string>{"a" + marks(1) + "b", marks(2), "\xC3\xA9", marks(3), marks(4)});
}

TEST_CASE("numbers without a value are null and say so") {
  ResultFile file = generate_results(1, 1);
  file.records[0].verdict.error = std::numeric_limits<double>::infinity();
  const std::string text = to_json(file);
  CHECK_THAT(text, ContainsSubstring(R"("error": null, "error_reason": "not a finite number")"));
  CHECK(std::isnan(from_json(text, "file.json").records[0].verdict.error));
}

TEST_CASE("members that nobody knows are passed over") {
  const std::string text =
      mutate(valid_text(), {"", R"("suite":)", R"("new": {"a": [1, {}]}, "suite":)", ""});
  const std::string newer =
      mutate(text, {"", R"("schema_version": "1.0")", R"("schema_version": "1.9")", ""});
  CHECK(to_json(from_json(newer, "file.json")) == valid_text());
}

TEST_CASE("what is wrong in a file is named with its place") {
  for (const auto* faults : {&faults_of_form(), &faults_of_meaning()}) {
    for (const Mutation& fault : *faults) {
      const std::string message = error_of(mutate(valid_text(), fault));
      INFO(fault.name << ": " << message);
      CHECK(is_one_line(message));
      CHECK_THAT(message, ContainsSubstring(" " + std::string(fault.place)));
    }
  }
}

TEST_CASE("a file of a newer version asks for an update") {
  const std::string message = error_of(mutate(valid_text(), faults_of_form().front()));
  CHECK_THAT(message, ContainsSubstring("newer steelyard: update"));
}

TEST_CASE("text that is not JSON is refused with line and column") {
  const std::string whole = valid_text();
  const std::string cases[] = {whole.substr(0, whole.size() / 2),
                               whole + "x",
                               "hello",
                               "{\"context\": \xFF}",
                               "{\"context\": {\"date\": \"\xC3\x28\"}}",
                               "{\"context\": NaN}",
                               std::string("\0\0\0\0", 4),
                               std::string("\xFF\xFE{\0}\0", 6),
                               "{\"context\": {\"date\": \"" + std::string(100000, 'x')};
  for (const std::string& text : cases) {
    const std::string message = error_of(text);
    INFO(message);
    CHECK(is_one_line(message));
    CHECK_THAT(message, ContainsSubstring("file.json: line "));
  }
  CHECK_THAT(error_of(""), ContainsSubstring("is empty"));
  CHECK_THAT(error_of("{\"context\": {\"a\": 1e999}}"),
             ContainsSubstring("overflow parsing '1e999'"));
}

TEST_CASE("JSON that is no result file is refused") {
  for (std::string_view text : {"[]", "3", "null", "\"text\"", "{}", "{\"a\": 1}",
                                R"({"context": {"date": "x"}, "benchmarks": [{"name": "a"}]})"}) {
    const std::string message = error_of(text);
    INFO(message);
    CHECK(is_one_line(message));
    CHECK_THAT(message, ContainsSubstring("not a Steelyard result file"));
  }
}

TEST_CASE("deep nesting is refused, known place or not") {
  const std::string deep(100000, '[');
  CHECK(is_one_line(error_of(deep)));
  CHECK_THAT(error_of("{\"x\": " + deep), ContainsSubstring("deeper than 64"));
  CHECK_THAT(error_of("{\"context\": {\"x\": " + deep), ContainsSubstring("deeper than 64"));
}

TEST_CASE("a damaged file is read or refused in one line") {
  const std::string whole = valid_text();
  std::mt19937_64 bits(11);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = whole;
    for (auto flips = 1 + bits() % 3; flips > 0; --flips)
      text[bits() % text.size()] ^= 1 << bits() % 8;
    if (i % 4 == 0) text.resize(bits() % text.size());
    if (i % 7 == 0) text.erase(bits() % (text.size() + 1), bits() % 40);
    const std::string message = error_of(text);
    if (message.empty()) continue;
    ++refused;
    INFO(message);
    REQUIRE(is_one_line(message));
  }
  CHECK(refused > 1000);
}
