// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/handlers.h"

#include <string_view>
#include <unordered_map>

namespace amd_emulator {
namespace {

using Table = std::unordered_map<std::string_view, Handler>;

Table all_handlers() {
  Table table;
  for (const std::span<const NamedHandler> group :
       {scalar_handlers(), control_handlers(), vector_handlers(), compare_handlers(),
        function_handlers(), half_handlers(), convert_handlers(), lane_handlers(),
        indexed_handlers(), dot_handlers(), matrix_handlers(), global_handlers(),
        global_atomic_handlers(), local_handlers(), local_atomic_handlers(),
        local_exchange_handlers()})
    for (const NamedHandler& named : group) table.emplace(named.name, named.handler);
  return table;
}

}  // namespace

Handler handler(const char* name) {
  static const Table table = all_handlers();
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace amd_emulator
