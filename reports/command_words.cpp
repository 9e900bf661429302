// SPDX-License-Identifier: Apache-2.0
#include "reports/command_words.h"

#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

namespace steelyard {
namespace {

// Whether it was there.
bool replace_all(std::string& text, std::string_view what, std::string_view by) {
  bool found = false;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
    found = true;
  }
  return found;
}

bool is_steelyard_run(const std::vector<std::string>& words) {
  return words.size() > 1 && words[1] == "run" &&
         std::filesystem::path(words[0]).filename() == "steelyard";
}

}  // namespace

std::vector<std::string> split_words(std::string_view command) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (!quote && blank) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (quote ? c == quote : c == '\'' || c == '"')
      quote = quote ? 0 : c;
    else if (c == '\\' && quote != '\'' && i + 1 < command.size())
      words.back() += command[++i];
    else
      words.back() += c;
  }
  if (quote)
    throw std::invalid_argument(fmt::format("a {} without its end in: {}", quote, command));
  if (words.empty() || words.front().empty()) throw std::invalid_argument("the command is empty");
  return words;
}

std::string exactly(const std::set<std::string>& names) {
  std::string expression;
  for (const std::string& name : names) {
    expression += expression.empty() ? "^(" : "|";
    for (const char c : name) {
      if (std::string_view("\\^$.|?*+()[{").find(c) != std::string_view::npos) expression += '\\';
      expression += c;
    }
  }
  return expression.empty() ? expression : expression + ")$";
}

std::vector<std::string> command_for(std::string_view command, const std::string& out,
                                     const std::string& filter) {
  auto words = split_words(command);
  bool told = false;
  for (std::string& word : words) {
    told = replace_all(word, "{out}", out) || told;
    replace_all(word, "{filter}", filter.empty() ? "." : filter);
  }
  if (told) return words;
  if (is_steelyard_run(words)) {
    words.insert(words.end(), {"--output", out});
    if (!filter.empty()) words.insert(words.end(), {"--filter", filter});
    return words;
  }
  words.insert(words.end(), {"--benchmark_out=" + out, "--benchmark_out_format=json"});
  if (!filter.empty()) words.push_back("--benchmark_filter=" + filter);
  return words;
}

}  // namespace steelyard
