// SPDX-License-Identifier: Apache-2.0
#include "bench/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>

#include "bench/models.h"
#include "reports/record.h"

namespace steelyard {
namespace {

constexpr std::string_view examples = R"(
Examples:
  steelyard-{0} --list                              every row: problem, kernel, device
  steelyard-{0} --filter portable --json out.json   rows whose key matches, into one file
  steelyard-{0} --suite standard --device cpu       the longer suite on the CPU alone
  steelyard-{0} {1}   an own sweep
  steelyard-{0} --repetitions 5 --strict            five processes, on a fit machine only

Row keys are problem/kernel/tier/device/fill/cache/mode. Exit codes: 0 pass, 2 usage or output error,
4 incorrect or implausible rows, 6 device absent, unfit or lost, or failed rows, 130 interrupted (rows saved).
)";

std::string_view sweep_example(const std::string& family) {
  if (family == "gemm") return "-a m=[256:4096:*2] -a dtype=bf16,f32";
  if (family == "attention") return "-a keys=[1024:8192:*2] -a causal=true,false";
  if (family == "llm") return "--model llama-3-8b -a phase=decode -a batch=fit -a context=4096";
  if (family == "layers") return "-a op=rms_norm,swiglu -a rows=[512:8192:*2]";
  return "-a op=triad,dot -a bytes=[1048576:1073741824:*4]";
}

const std::map<std::string, Suite> suites = {{"quick", Suite::quick},
                                             {"gate", Suite::gate},
                                             {"standard", Suite::standard},
                                             {"full", Suite::full}};
const std::map<std::string, CachePolicy> policies = {
    {"rotate", CachePolicy::rotate}, {"hot", CachePolicy::hot}, {"flush", CachePolicy::flush}};
const std::map<std::string, Mode> modes = {
    {"burst", Mode::burst}, {"steady", Mode::steady}, {"sustained", Mode::sustained}};
const std::map<std::string, Tier> tiers = {{"portable", Tier::portable},
                                           {"tuned", Tier::tuned},
                                           {"library", Tier::library},
                                           {"best", Tier::best}};
const std::map<std::string, Fill> fills = {{"normal", Fill::normal},
                                           {"uniform", Fill::uniform},
                                           {"integers", Fill::integers},
                                           {"ones", Fill::ones},
                                           {"zeros", Fill::zeros}};

template <class E>
std::string choices(const std::map<std::string, E>& values) {
  std::string all;
  for (const auto& [text, value] : values) all += (all.empty() ? "" : ", ") + text;
  return all;
}

template <class E>
E choose(const std::map<std::string, E>& values, const std::string& option,
         const std::string& text) {
  const auto found = values.find(text);
  if (found == values.end())
    throw UsageError(
        fmt::format("{} {}: unknown value; it takes one of {}", option, text, choices(values)));
  return found->second;
}

// What Google Benchmark calls an option of ours; flags of its that have no meaning here are
// refused.
struct Alias {
  std::string_view google, ours;
};
constexpr std::array aliases = {
    Alias{"--benchmark_filter", "--filter"}, Alias{"--benchmark_list_tests", "--list"},
    Alias{"--benchmark_repetitions", "--repetitions"}, Alias{"--benchmark_out", "--json"},
    Alias{"--benchmark_context", "--label"}};

constexpr std::string_view no_counterpart =
    "{}: this flag of Google Benchmark has no counterpart here; see --help (a run time is limited "
    "by "
    "--budget, files are --json and --csv, colours follow NO_COLOR)";

std::vector<std::string> translate(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string flag = word.substr(0, word.find('='));
    if (!flag.starts_with("--benchmark_")) {
      words.push_back(word);
      continue;
    }
    const auto* alias = std::ranges::find(aliases, flag, &Alias::google);
    const std::string value = flag == word ? "" : word.substr(flag.size() + 1);
    if (flag == "--benchmark_out_format" && value == "json") continue;
    if (alias == aliases.end()) throw UsageError(fmt::format(fmt::runtime(no_counterpart), flag));
    if (flag == "--benchmark_list_tests") {
      if (value != "false") words.emplace_back(alias->ours);
      continue;
    }
    words.emplace_back(alias->ours);
    words.push_back(value);
  }
  return words;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> pieces;
  std::size_t start = 0;
  for (std::size_t end; (end = text.find(separator, start)) != std::string::npos; start = end + 1)
    pieces.push_back(text.substr(start, end - start));
  pieces.push_back(text.substr(start));
  return pieces;
}

std::int64_t whole_number(const std::string& text, const std::string& where) {
  try {
    std::size_t used = 0;
    const std::int64_t value = std::stoll(text, &used);
    if (used == text.size()) return value;
  } catch (const std::exception&) {
  }
  throw UsageError(fmt::format("{}: '{}' is not a whole number of 64 bits", where, text));
}

std::vector<std::string> range(const std::string& text, const std::string& where) {
  const auto bounds = split(text, ':');
  if (bounds.size() != 3 || bounds[2].empty())
    throw UsageError(fmt::format("{}: a range is [start:end:step] or [start:end:*factor]", where));
  const bool multiplies = bounds[2][0] == '*';
  const std::int64_t start = whole_number(bounds[0], where), end = whole_number(bounds[1], where);
  const std::int64_t step = whole_number(bounds[2].substr(multiplies), where);
  if (start > end || step < (multiplies ? 2 : 1) || (multiplies && start < 1))
    throw UsageError(fmt::format("{}: the range never reaches its end", where));
  std::vector<std::string> values;
  for (std::int64_t v = start; v <= end; v = multiplies ? v * step : v + step) {
    values.push_back(std::to_string(v));
    if (values.size() > 1000) throw UsageError(where + ": more than 1000 values");
    if (v > end / (multiplies ? step : 1)) break;
  }
  return values;
}

struct Texts {
  std::string suite = "quick", tier, cache = "rotate", fill = "normal", mode, budget;
  std::vector<std::string> devices, axes, labels;
};

void declare_models(CLI::App& app, Options& options) {
  app.add_option(
      "--model", options.model,
      fmt::format("{}, or a TOML file (default: the suite's)", fmt::join(model_names(), ", ")));
  app.add_option("--layers", options.layers,
                 "Blocks of the model to measure (default: the suite's)")
      ->check(CLI::Range(1, 1000));
  app.add_option(
      "--trace", options.trace,
      "Also write the operations of each step as a Chrome trace (chrome://tracing, Perfetto)");
}

void declare(CLI::App& app, Options& options, Texts& texts) {
  const auto one_of = [](std::string what, const auto& values) {
    return what + ": " + choices(values);
  };
  app.add_flag("--list", options.list, "Print the key of every row and stop");
  app.add_option(
         "--filter", options.filter,
         "Regular expression over row keys; a leading '-' excludes what matches; the last one "
         "counts")
      ->take_last();
  app.add_option("--suite", texts.suite, one_of("Problems to measure", suites))
      ->capture_default_str();
  app.add_option("--device", texts.devices, "cpu, cuda:0, hip:all, ... (default: every device)")
      ->delimiter(',');
  app.add_option("--kernel", options.kernel, "Only kernels of this name");
  app.add_option("--tier", texts.tier, one_of("Only this tier", tiers));
  app.add_option("-a,--axis", texts.axes,
                 "NAME=VALUES: sweep own problems instead of the suite's; VALUES are a,b,c or "
                 "[start:end:step] or [start:end:*factor]; an unknown NAME prints those there are")
      ->allow_extra_args(false);
  app.add_option("--json", options.json,
                 "Result file (default: results/<UTC>-<host>-<suite>/<binary>.json)")
      ->take_last();
  app.add_option("--csv", options.csv, "Also write the table as CSV");
  app.add_option("--cache", texts.cache, one_of("Operands in the last-level cache", policies))
      ->capture_default_str();
  app.add_option("--fill", texts.fill, one_of("Input data", fills))->capture_default_str();
  app.add_option("--seed", options.seed, "Of the input data")->capture_default_str();
  app.add_option("--mode", texts.mode,
                 one_of("Default: burst in quick and gate, steady in standard and full", modes));
  app.add_flag("--together", options.together,
               "Each row on all chosen devices at once: their sum, and the slowest");
  app.add_flag("--energy", options.energy, "Rows of at least 2 s, so that energy can be measured");
  app.add_flag("--data-sensitivity", options.data_sensitivity,
               "Measure each row on zeros too: how much faster such data are");
  app.add_flag("--strict", options.strict,
               "Refuse devices that the check before the run finds unfit (exit code 6)");
  app.add_option("--budget", texts.budget, "Time for the whole run, such as 90s or 10m");
  app.add_option("--min-samples", options.min_samples, "Per row")
      ->capture_default_str()
      ->check(CLI::Range(6, 1'000'000));
  app.add_option("--repetitions", options.repetitions, "Processes to run, one after the other")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--label", texts.labels, "KEY=VALUE to keep in the file; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--anonymise", options.anonymise, "Hash host names and device identifiers");
  app.add_flag("--profile", options.profile, "One launch per row and nothing else, for profilers");
  app.add_flag("--dry-run", options.dry_run, "Prepare nothing; print the rows and their sizes");
}

void interpret(Options& options, const Texts& texts) {
  options.suite = choose(suites, "--suite", texts.suite);
  options.cache = choose(policies, "--cache", texts.cache);
  options.fill = choose(fills, "--fill", texts.fill);
  if (!texts.tier.empty()) options.tier = choose(tiers, "--tier", texts.tier);
  const bool brief = options.suite == Suite::quick || options.suite == Suite::gate;
  options.mode = texts.mode.empty() ? (brief ? Mode::burst : Mode::steady)
                                    : choose(modes, "--mode", texts.mode);
  if (!texts.budget.empty()) options.budget_seconds = parse_duration(texts.budget);
  options.devices = texts.devices;
  for (const std::string& axis : texts.axes) options.axes.push_back(parse_axis(axis));
  for (const std::string& label : texts.labels) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--label {}: it takes KEY=VALUE", label));
    const std::string key = label.substr(0, equals);
    if (std::ranges::any_of(options.labels, [&](const auto& l) { return l.first == key; }))
      throw UsageError(fmt::format("--label {}: {} is labelled twice", label, key));
    options.labels.emplace_back(key, label.substr(equals + 1));
  }
}

// Each would be written over the other.
void refuse_one_file(const Options& options) {
  std::map<std::filesystem::path, std::string_view> files;
  for (const auto& [option, file] :
       {std::pair("--json", &options.json), {"--csv", &options.csv}, {"--trace", &options.trace}})
    if (!file->empty())
      if (const auto [entry, is_new] =
              files.try_emplace(std::filesystem::absolute(*file).lexically_normal(), option);
          !is_new)
        throw UsageError(fmt::format("{} {}: {} names that file too; choose another", option, *file,
                                     entry->second));
}

template <class E>
std::string_view name_in(const std::map<std::string, E>& values, E value) {
  for (const auto& [text, candidate] : values)
    if (candidate == value) return text;
  return "?";
}

}  // namespace

std::string_view name(Suite suite) {
  return name_in(suites, suite);
}
std::string_view name(CachePolicy policy) {
  return name_in(policies, policy);
}
std::string_view name(Mode mode) {
  return name_in(modes, mode);
}

std::optional<Options> parse_command_line(const std::string& family, int argc, char** argv) {
  CLI::App app(
      family == "llm"
          ? "Measures steps of language models (training, prefill, decode and more): verified, on "
            "the CPU and every GPU found.\n`steelyard report` makes tokens/s, scenarios and curves "
            "of them."
          : fmt::format("Measures {} kernels: verified, on the CPU and every GPU found.", family),
      "steelyard-" + family);
  app.footer(fmt::format(fmt::runtime(examples), family, sweep_example(family)));
  app.set_version_flag("--version", fmt::format("steelyard-{} {}", family, suite_version));
  Options options;
  Texts texts;
  declare(app, options, texts);
  if (family == "llm") declare_models(app, options);
  try {
    std::vector<std::string> words = translate(argc, argv);
    std::ranges::reverse(words);  // CLI11 takes them from the back
    app.parse(words);
  } catch (const CLI::Success& answered) {
    app.exit(answered);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("{}; see --help", error.what()));
  }
  interpret(options, texts);
  refuse_one_file(options);
  return options;
}

Axis parse_axis(const std::string& text) {
  const std::string where = "-a " + text;
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw UsageError(where + ": it takes NAME=VALUES, such as m=[1024:8192:*2] or dtype=bf16,f32");
  Axis axis = {.name = text.substr(0, equals)};
  const std::string values = text.substr(equals + 1);
  axis.values = values.front() == '[' && values.back() == ']'
                    ? range(values.substr(1, values.size() - 2), where)
                    : split(values, ',');
  return axis;
}

double parse_duration(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
  }
  const std::string unit = text.substr(used);
  const double scale = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (used == 0 || scale == 0 || !(value > 0) || !std::isfinite(value))
    throw UsageError(fmt::format("--budget {}: a duration is a number and s, m or h", text));
  return value * scale;
}

}  // namespace steelyard
