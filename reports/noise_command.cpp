// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/child.h"
#include "reports/commands.h"
#include "reports/exit_code.h"
#include "reports/noise.h"
#include "reports/output.h"
#include "reports/render.h"
#include "reports/replace_file.h"
#include "reports/run_into.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

// Deleted with all it holds at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = fs::temp_directory_path() / "steelyard-noise-XXXXXX";
    if (mkdtemp(name.data()) == nullptr)
      throw std::system_error(errno, std::generic_category(), name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// As many as were wanted, or until an interruption.
std::vector<fs::path> make_runs(const NoiseOptions& options, const fs::path& folder) {
  std::vector<fs::path> files;
  const auto begin = std::chrono::steady_clock::now();
  while (static_cast<int>(files.size()) < options.runs) try {
      const auto done = static_cast<double>(files.size());
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
      const std::string left =
          files.empty() ? std::string()
                        : ", " + duration(spent.count() / done * (options.runs - done)) + " left";
      std::fprintf(stderr, "steelyard: run %zu of %d%s\n", files.size() + 1, options.runs,
                   left.c_str());
      const fs::path file = folder / fmt::format("{:04}.json", files.size() + 1);
      run_into(file, options.command, {}, fmt::format("run {}", files.size() + 1));
      files.push_back(file);
    } catch (const RunInterrupted&) {
      break;
    }
  return files;
}

}  // namespace

int noise(const NoiseOptions& options) try {
  const SignalForwarding forwarding;
  const TemporaryFolder folder;
  const auto files = make_runs(options, folder.path());
  if (files.empty()) return interrupted;
  const NoiseCard card = noise_of(load_runs(files, options.command));
  if (!options.output.empty()) replace_file(options.output, to_json(card));
  write_output(text(noise_table(card)), {});
  return SignalForwarding::interrupted() ? interrupted : passed;
} catch (const RunFailed& error) {
  complain(error.what());
  return error.exit_code;
} catch (const std::exception& error) {
  complain(error.what());
  return usage_error;
}

}  // namespace steelyard
