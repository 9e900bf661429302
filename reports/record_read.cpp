// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bitset>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "reports/file_error.h"
#include "reports/open_file.h"
#include "reports/record.h"
#include "reports/rule_tree.h"

namespace steelyard {
namespace {

constexpr std::string_view check_file = Complaint{}.remedy;
constexpr std::string_view name_another = "name a file that steelyard wrote";

// Receives a file's values in their order and lets the rules take them.
class Reader {
 public:
  explicit Reader(const std::string& file_name) : file_name_(file_name) {}

  ResultFile take();

  bool null() { return scalar({.scalar = nullptr}); }
  bool boolean(bool value) { return scalar({.scalar = value}); }
  bool number_integer(std::int64_t value) { return scalar({.scalar = value}); }
  bool number_unsigned(std::uint64_t value) {
    const bool fits = value <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    return fits ? scalar({.scalar = static_cast<std::int64_t>(value)})
                : scalar({.scalar = static_cast<double>(value)});
  }
  bool number_float(double value, const std::string& digits) {
    return scalar({.scalar = value, .digits = digits});
  }
  bool string(std::string& value) { return scalar({.scalar = std::move(value)}); }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // not in JSON text
  bool start_object(std::size_t) { return start(false); }
  bool start_array(std::size_t) { return start(true); }
  bool key(std::string& name) {
    frames_[depth_ - 1].key = name;
    return true;
  }
  bool end_object();
  bool end_array() {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    throw syntax_error(file_name_, error.what());
  }

 private:
  static constexpr std::size_t deepest = 64;
  using Seen = std::bitset<128>;  // by RuleNode::number

  // An object or array that is not closed yet.
  struct Frame {
    const RuleNode* node = nullptr;  // null where no rule leads: what is below is passed over
    Fields* fields = nullptr;        // where scalars without a rule go
    bool list = false;
    std::string key;        // the member that is being read
    std::size_t index = 0;  // the element that comes next
  };

  const RuleNode* next();
  bool scalar(JsonValue value);
  bool start(bool list);
  void check_kind(const RuleNode& node, bool list) const;
  void remember(Frame& frame, JsonValue& value);
  void mark(const RuleNode& node);
  bool is_row(const RuleNode* node) const {
    return node == measured_row_ || node == row_not_measured_;
  }
  void finish_row(Scope scope);
  void check_missing(Scope scope, const Seen& seen) const;
  void check_comparability();

  std::string pointer() const;
  [[noreturn]] void fail(std::string_view place, std::string_view what,
                         std::string_view remedy = check_file) const;

  const std::string& file_name_;
  const RuleNode* root_ = &rule_tree().root;
  const RuleNode* context_ = &root_->members.at("context");
  const RuleNode* steelyard_ = &context_->members.at("steelyard");
  const RuleNode* row_not_measured_ = &steelyard_->members.at("not_measured").members.at("*");
  const RuleNode* measured_row_ = &root_->members.at("benchmarks").members.at("*");
  Draft draft_;
  std::vector<int> order_;  // of the records
  std::array<Frame, deepest> frames_;
  std::size_t depth_ = 0;
  Seen seen_in_file_, seen_in_row_;
};

std::string Reader::pointer() const {
  std::string result;
  for (const Frame& frame : std::span(frames_).first(depth_)) {
    result += frame.list ? pointer_step(std::to_string(frame.index - 1)) : pointer_step(frame.key);
  }
  return result;
}

void Reader::fail(std::string_view place, std::string_view what, std::string_view remedy) const {
  const std::string where = place.empty() ? "" : std::string(place) + ": ";
  throw file_error(file_name_, where + std::string(what), remedy);
}

// The node of the value that comes next.
const RuleNode* Reader::next() {
  if (depth_ == 0) return root_;
  Frame& frame = frames_[depth_ - 1];
  if (frame.list) ++frame.index;
  if (!frame.node) return nullptr;
  const auto& members = frame.node->members;
  if (frame.node->kind == RuleNode::array || frame.node->kind == RuleNode::map) {
    return &members.begin()->second;
  }
  const auto found =
      frame.list ? members.find(std::to_string(frame.index - 1)) : members.find(frame.key);
  return found == members.end() ? nullptr : &found->second;
}

// Of two values at one place nobody could say which is meant.
void Reader::mark(const RuleNode& node) {
  if (node.number < 0) return;
  auto& seen = node.scope == Scope::file ? seen_in_file_ : seen_in_row_;
  if (seen.test(node.number)) fail(pointer(), "stands there twice");
  seen.set(node.number);
}

void Reader::remember(Frame& frame, JsonValue& value) {
  const bool known = std::ranges::any_of(
      *frame.fields, [&](const auto& field) { return field.first == frame.key; });
  if (known) fail(pointer(), "stands there twice");
  frame.fields->emplace_back(frame.key, std::move(value.scalar));
}

void Reader::check_kind(const RuleNode& node, bool list) const {
  if (&node == root_ && list) fail("", "is not a Steelyard result file", name_another);
  if (node.kind == RuleNode::scalar) fail(pointer(), "must be a single value");
  if (node.is_list() != list) fail(pointer(), list ? "must be an object" : "must be an array");
}

bool Reader::scalar(JsonValue value) {
  const RuleNode* node = next();
  if (!node) {
    Frame& frame = frames_[depth_ - 1];
    if (frame.fields) remember(frame, value);
    return true;
  }
  mark(*node);
  if (node->kind != RuleNode::scalar) check_kind(*node, !node->is_list());
  const Complaint complaint = node->rule.take(draft_, value);
  if (!complaint.what.empty()) fail(pointer(), complaint.what, complaint.remedy);
  return true;
}

bool Reader::start(bool list) {
  const RuleNode* node = next();
  if (depth_ == deepest) fail(pointer(), "is nested deeper than 64 levels");
  Frame frame{.node = node, .list = list};
  if (node) {
    check_kind(*node, list);
    mark(*node);
    if (is_row(node)) {
      draft_.row = {};
      seen_in_row_.reset();
    }
    const Rule& rule = node->rule;
    if (rule.begin) rule.begin(draft_);
    if (rule.fields) frame.fields = rule.fields(draft_, frames_[depth_ - 1].key);
  }
  frames_[depth_++] = std::move(frame);
  return true;
}

bool Reader::end_object() {
  const RuleNode* node = frames_[--depth_].node;
  if (node == measured_row_) finish_row(Scope::measured);
  if (node == row_not_measured_) finish_row(Scope::not_measured);
  if (node == context_ && !seen_in_file_.test(steelyard_->number)) {
    fail("/context", "has no member `steelyard`: this is not a Steelyard result file",
         name_another);
  }
  if (node == root_ && !seen_in_file_.test(context_->number)) {
    fail("", "has no member `context`: this is not a Steelyard result file", name_another);
  }
  return true;
}

void Reader::check_missing(Scope scope, const Seen& seen) const {
  const auto& places = rule_tree().places[static_cast<int>(scope)];
  for (std::size_t i = 0; i < places.size(); ++i) {
    const bool needed = places[i].need == Rule::always ||
                        (places[i].need == Rule::measured && scope == Scope::measured);
    if (needed && !seen.test(i)) fail(pointer() + places[i].path, "is missing");
  }
}

void Reader::finish_row(Scope scope) {
  check_missing(scope, seen_in_row_);
  Draft::Row& row = draft_.row;
  if ((row.record.status == Status::ok) != (scope == Scope::measured)) {
    fail(pointer(), "has status " + std::string(name(row.record.status)) +
                        ": rows that are ok stand in `benchmarks`, all others in `not_measured`");
  }
  const std::string row_key = steelyard::key(row.record);
  if (row.name != row_key) {
    fail(pointer() + "/name", "is " + row.name + ", but the row is " + row_key);
  }
  order_.push_back(row.index.value_or(static_cast<int>(order_.size())));
  draft_.file.records.push_back(std::move(row.record));
}

// Rows are compared by these keys, so a key must be that of its fields.
void Reader::check_comparability() {
  for (const auto& [set_key, set] : draft_.comparability) {
    const std::string place = "/context/steelyard/comparability" + pointer_step(set_key);
    const auto made = comparability(std::move(set->fields));
    if (made->key != set_key) fail(place, "is missing, or its fields were changed");
    *set = *made;
  }
}

ResultFile Reader::take() {
  check_missing(Scope::file, seen_in_file_);
  check_comparability();
  std::vector<std::size_t> from(order_.size());
  std::iota(from.begin(), from.end(), std::size_t{0});
  std::ranges::stable_sort(from, {}, [&](std::size_t i) { return order_[i]; });
  auto& read = draft_.file.records;
  std::vector<Record> records;
  records.reserve(read.size());
  for (std::size_t i : from) records.push_back(std::move(read[i]));
  read = std::move(records);
  return std::move(draft_.file);
}

ResultFile read(std::istream& stream, const std::string& file_name) {
  if (stream.peek() == std::istream::traits_type::eof()) {
    throw file_error(file_name, "is empty", "measure again");
  }
  Reader reader(file_name);
  nlohmann::json::sax_parse(stream, &reader);
  return reader.take();
}

}  // namespace

ResultFile from_json(std::string_view text, const std::string& file_name) {
  if (text.empty()) throw file_error(file_name, "is empty", "measure again");
  Reader reader(file_name);
  nlohmann::json::sax_parse(text, &reader);
  return reader.take();
}

ResultFile read_results(const std::filesystem::path& path) {
  ResultFile file;
  with_file(path, [&](std::istream& stream) { file = read(stream, path.string()); });
  return file;
}

}  // namespace steelyard
