// SPDX-License-Identifier: Apache-2.0
#include "reports/sha256.h"

#include <sys/types.h>
// libmd's header needs the types above.
#include <sha2.h>

#include <cstdint>

namespace steelyard {

std::string sha256(std::string_view text) {
  char digest[SHA256_DIGEST_STRING_LENGTH];
  SHA256Data(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digest);
  return digest;
}

}  // namespace steelyard
