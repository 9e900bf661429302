// SPDX-License-Identifier: Apache-2.0
// GPUs side by side by what others published: nothing of it was measured by this project.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/document.h"
#include "reports/published.h"
#include "reports/specs.h"

namespace steelyard {

// How many times as fast as the reference, where a series has values of both or a source gives the ratio.
struct PublishedRatio {
  std::string gpu, series, phase;
  double value = 1;
  const Published* number = nullptr;  // of the GPU
};

// Of several values of a GPU in a series the fastest counts. By phase, series and GPU.
std::vector<PublishedRatio> published_ratios(std::span<const Published> published,
                                             const std::string& reference);

// The datasheets, ratios to each reference as a chart and a table, claims judged by the numbers, and every
// value by phase.
Document published_document(std::span<const Published> published,
                            const std::vector<std::string>& references);

// The GPU of that name, else the only one whose name contains it, whatever its case. Throws
// std::invalid_argument with the choices.
std::string published_gpu(std::span<const Published> published, const std::string& text);

}  // namespace steelyard
