// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace steelyard {

// In hexadecimal.
std::string sha256(std::string_view text);

// As a content security policy names a script: "sha256-" and the digest in base64.
std::string sha256_source(std::string_view text);

}  // namespace steelyard
