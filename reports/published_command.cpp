// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "reports/commands.h"
#include "reports/exit_code.h"
#include "reports/file_error.h"
#include "reports/html.h"
#include "reports/output.h"
#include "reports/published_gpus.h"

namespace steelyard {

int show_published(const PublishedOptions& options) try {
  const auto numbers = published();
  std::vector<std::string> references;
  for (const std::string& text : options.references)
    references.push_back(published_gpu(numbers, text));
  const Document document = published_document(numbers, references);
  write_output(options.format == "html" ? html(document) : markdown(document), options.output);
  return passed;
} catch (const FileError& error) {
  complain(error.what());
  return usage_error;
} catch (const std::invalid_argument& error) {
  complain(error.what());
  return usage_error;
}

}  // namespace steelyard
