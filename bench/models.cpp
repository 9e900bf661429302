// SPDX-License-Identifier: Apache-2.0
#include "bench/models.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <filesystem>

#include "bench/command_line.h"

namespace steelyard {

std::string_view models_text();  // of models.toml

namespace {

struct Size {
  std::string_view key;
  std::int64_t Transformer::*field;
  bool required = true;
};
constexpr std::array sizes = {Size{"width", &Transformer::width},
                              Size{"layers", &Transformer::layers},
                              Size{"heads", &Transformer::heads},
                              Size{"kv_heads", &Transformer::kv_heads},
                              Size{"head_dim", &Transformer::head_dim},
                              Size{"ffn", &Transformer::ffn},
                              Size{"vocabulary", &Transformer::vocabulary},
                              Size{"experts", &Transformer::experts, false},
                              Size{"choices", &Transformer::choices, false},
                              Size{"positions", &Transformer::positions, false}};

struct Switch {
  std::string_view key;
  bool Transformer::*field;
};
constexpr std::array switches = {
    Switch{"layer_norm", &Transformer::layer_norm}, Switch{"gelu", &Transformer::gelu},
    Switch{"biases", &Transformer::biases}, Switch{"head_norms", &Transformer::head_norms},
    Switch{"tied_head", &Transformer::tied_head}};

// One [[model]] table of a file.
class Reader {
 public:
  Reader(std::string file, const toml::table& table) : file_(std::move(file)), table_(table) {}

  Model read() {
    for (const auto& [key, node] : table_)
      if (!is_known(key.str())) fail(node, fmt::format("unknown key {}", key.str()));
    Model model;
    model.shape.model = text("name");
    model.source = text("source");
    for (const Size& size : sizes) model.shape.*size.field = number(size);
    model.shape.blocks = model.shape.layers;
    for (const Switch& one : switches)
      model.shape.*one.field = required<bool>(one.key, "true or false", false);
    return checked(std::move(model));
  }

 private:
  static bool is_known(std::string_view key) {
    return key == "name" || key == "source" || std::ranges::count(sizes, key, &Size::key) > 0 ||
           std::ranges::count(switches, key, &Switch::key) > 0;
  }

  [[noreturn]] void fail(const toml::node& at, const std::string& what) const {
    throw UsageError(fmt::format("{}:{}: {}", file_, at.source().begin.line, what));
  }

  template <class T>
  T required(std::string_view key, std::string_view kind, std::optional<T> otherwise = {}) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr && otherwise) return *otherwise;
    if (node == nullptr) fail(table_, fmt::format("a model needs the key {}", key));
    const auto value = node->value_exact<T>();
    if (!value) fail(*node, fmt::format("{} takes {}", key, kind));
    return *value;
  }

  std::string text(std::string_view key) const {
    std::string value = required<std::string>(key, "a text");
    if (value.empty()) fail(*table_.get(key), fmt::format("{} is empty", key));
    return value;
  }

  std::int64_t number(const Size& size) const {
    const std::string kind = fmt::format("a whole number {}", size.required ? "above 0" : "from 0");
    const auto value = required<std::int64_t>(
        size.key, kind,
        size.required ? std::optional<std::int64_t>() : std::optional<std::int64_t>(0));
    if (value < (size.required ? 1 : 0))
      fail(*table_.get(size.key), fmt::format("{} takes {}", size.key, kind));
    return value;
  }

  // A name is part of row keys, whose parts a slash divides.
  Model checked(Model model) const {
    const auto is_plain = [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '.' || c == '_';
    };
    if (!std::ranges::all_of(model.shape.model, is_plain))
      fail(*table_.get("name"), "name takes letters, digits, '-', '.' and '_'");
    Transformer smallest = model.shape;
    smallest.layers = 1;
    if (const std::string why = fault(smallest); !why.empty()) fail(table_, why);
    return model;
  }

  std::string file_;
  const toml::table& table_;
};

std::vector<Model> read_models(const std::string& file, const toml::table& document) {
  for (const auto& [key, node] : document)
    if (key.str() != "model")
      throw UsageError(fmt::format("{}:{}: unknown key {}; a model is a table [[model]]", file,
                                   node.source().begin.line, key.str()));
  std::vector<Model> models;
  if (const toml::array* tables = document["model"].as_array())
    for (const toml::node& node : *tables)
      if (const toml::table* table = node.as_table()) models.push_back(Reader(file, *table).read());
  return models;
}

Model model_of_file(const std::string& file) {
  try {
    const std::vector<Model> models = read_models(file, toml::parse_file(file));
    if (models.size() != 1)
      throw UsageError(
          fmt::format("{}: it holds {} models [[model]], and one is wanted", file, models.size()));
    return models.front();
  } catch (const toml::parse_error& error) {
    throw UsageError(
        fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()));
  }
}

}  // namespace

const std::vector<Model>& shipped_models() {
  static const std::vector<Model> all = read_models("models.toml", toml::parse(models_text()));
  return all;
}

Transformer asked_of(const Model& model, Transformer step) {
  const std::int64_t layers = step.layers;
  step.model = model.shape.model;
  step.blocks = model.shape.blocks;
  for (const Size& size : sizes) step.*size.field = model.shape.*size.field;
  for (const Switch& one : switches) step.*one.field = model.shape.*one.field;
  step.layers = layers;
  return step;
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const Model& model : shipped_models()) names.push_back(model.shape.model);
  return names;
}

Model find_model(const std::string& name_or_file) {
  for (const Model& model : shipped_models())
    if (model.shape.model == name_or_file) return model;
  if (std::filesystem::exists(name_or_file)) return model_of_file(name_or_file);
  throw UsageError(fmt::format("--model {}: neither a model nor a file; there are: {}",
                               name_or_file, fmt::join(model_names(), ", ")));
}

}  // namespace steelyard
