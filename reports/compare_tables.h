// SPDX-License-Identifier: Apache-2.0
// What a comparison says, for people and for the programs that read CI's output.
#pragma once

#include <string>

#include "reports/compare.h"
#include "reports/render.h"

namespace steelyard {

// "2 of 40 rows regressed; 1 inconclusive; 37 passed."
std::string headline(const Changes& changes);

// For a terminal.
std::string text_of(const Changes& changes);

// Below 1 MB, which GitHub shows at most: the 20 worst rows, the others folded, as many as there is
// room for.
std::string markdown_of(const Changes& changes);

std::string json_of(const Changes& changes);

// A test case for each row and metric: failure is a regression, error a row that was not measured
// right, skipped what is refused or inconclusive.
std::string junit_of(const Changes& changes);

// Workflow commands of GitHub Actions: nine at most and how many more there are, since it shows ten.
std::string annotations_of(const Changes& changes);

}  // namespace steelyard
