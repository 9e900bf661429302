// SPDX-License-Identifier: Apache-2.0
#include "reports/sha256.h"

#include <sys/types.h>
// libmd's header needs the types above.
#include <sha2.h>

#include <cstdint>

#include "reports/base64.h"

namespace steelyard {

std::string sha256(std::string_view text) {
  char digest[SHA256_DIGEST_STRING_LENGTH];
  SHA256Data(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digest);
  return digest;
}

std::string sha256_source(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA2_CTX state;
  SHA256Init(&state);
  SHA256Update(&state, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  SHA256Final(reinterpret_cast<std::uint8_t*>(digest.data()), &state);
  return "sha256-" + base64(digest);
}

}  // namespace steelyard
