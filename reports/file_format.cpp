// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "reports/file_error.h"
#include "reports/foreign.h"

namespace steelyard {
namespace {

// Stops at the first member that tells.
class Detector : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Detector(const std::filesystem::path& file) : file_(file) {}

  std::optional<FileFormat> found;

  bool key(std::string& name) override {
    path_.resize(depth_ - 1);
    path_.push_back(name);
    const auto at = [&](std::initializer_list<const char*> path) {
      return std::equal(path_.begin(), path_.end(), path.begin(), path.end());
    };
    if (at({"context", "steelyard"})) found = FileFormat::steelyard;
    if (at({"benchmarks", "", "run_name"}) || at({"benchmarks", "", "real_time"}))
      found = FileFormat::google_benchmark;
    if (at({"meta", "version"}) || at({"benchmarks", "", "states"})) found = FileFormat::nvbench;
    return !found;
  }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override {
    if (!enter()) return false;
    path_.resize(depth_ - 1);
    path_.emplace_back();  // its elements are alike
    return true;
  }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(nlohmann::json::binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& error) override {
    throw syntax_error(file_, error.what());
  }

 private:
  bool enter() {
    ++depth_;
    if (depth_ <= deepest) return true;
    throw file_error(file_, "is nested deeper than 64 levels", "name a result file");
  }
  bool leave() {
    --depth_;
    path_.resize(depth_);
    return true;
  }

  static constexpr std::size_t deepest = 64;
  const std::filesystem::path& file_;
  std::size_t depth_ = 0;
  std::vector<std::string> path_;  // of the member that is being read; "" in arrays
};

}  // namespace

FileFormat format_of(std::string_view text, const std::filesystem::path& file) {
  if (text.empty()) throw file_error(file, "is empty", "measure again");
  Detector detector(file);
  nlohmann::json::sax_parse(text, &detector);
  if (!detector.found)
    throw file_error(file, "is no result file",
                     "name one of Steelyard, Google Benchmark (JSON) or nvbench (JSON)");
  return *detector.found;
}

}  // namespace steelyard
