// SPDX-License-Identifier: Apache-2.0
// How this binary was made.
#pragma once

namespace steelyard {

struct BuildInfo {
  const char* commit;  // empty outside a git checkout
  bool dirty;          // tracked files differed from the commit
  const char* compiler;
  const char* flags;
  const char* build_type;
};

extern const BuildInfo build_info;

}  // namespace steelyard
