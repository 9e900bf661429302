// SPDX-License-Identifier: Apache-2.0
// The files that the numbers of a report come from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/document.h"
#include "reports/measurement.h"
#include "reports/results.h"

namespace steelyard {

// What each file holds, and the SHA-256 of its bytes.
Table sources(std::span<const Results> results);

// Of a row, "a.json; b.json": the files that it comes from, and in the same order their SHA-256.
std::string files_of(const Measurement& measurement);
std::string hashes_of(const Measurement& measurement);

// The files themselves. Throws FileError where one can be read but once.
std::vector<Attachment> attachments(std::span<const Results> results);

}  // namespace steelyard
