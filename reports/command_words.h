// SPDX-License-Identifier: Apache-2.0
// A command as one text, which is run without a shell.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace steelyard {

// Its words, as a shell would take them apart: blanks separate, '...' and "..." keep them, a
// backslash takes away the meaning of what follows. Nothing is expanded. Throws
// std::invalid_argument for a quotation without end, and when there is no word.
std::vector<std::string> split_words(std::string_view command);

// A regular expression that matches these names whole and nothing else, as ECMAScript and POSIX
// extended expressions alike.
std::string exactly(const std::set<std::string>& names);

// The words with {out} and {filter} filled in. A program that is not told where its result goes is
// taken for one with the options of Google Benchmark, which Steelyard's programs understand as well;
// `steelyard run` gets its own. An empty `filter` selects all rows: a word that holds {filter} is
// "." then. Throws std::invalid_argument as split_words() does.
std::vector<std::string> command_for(std::string_view command, const std::string& out,
                                     const std::string& filter);

}  // namespace steelyard
