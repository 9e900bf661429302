// SPDX-License-Identifier: Apache-2.0
// A descriptor of a graph library: the attributes that it was given, as they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

namespace steelyard::doubles {

struct StoredDescriptor {
  int type = 0;
  std::map<int, std::vector<std::byte>> attributes;
  std::int64_t engine = -1;                 // of configurations, engines and plans
  const StoredDescriptor* graph = nullptr;  // of heuristics, configurations and plans

  void set(int attribute, const void* values, std::size_t bytes) {
    auto& stored = attributes[attribute];
    stored.resize(bytes);
    std::memcpy(stored.data(), values, bytes);
  }

  template <class T>
  std::vector<T> values(int attribute) const {
    const auto found = attributes.find(attribute);
    if (found == attributes.end()) return {};
    std::vector<T> all(found->second.size() / sizeof(T));
    std::memcpy(all.data(), found->second.data(), all.size() * sizeof(T));
    return all;
  }
  template <class T>
  T value(int attribute) const {
    return values<T>(attribute).at(0);
  }
  const StoredDescriptor& descriptor(int attribute) const {
    return *value<const StoredDescriptor*>(attribute);
  }
};

// The memories that a variant pack names, by id.
inline std::map<std::int64_t, void*> memories(const StoredDescriptor& pack, int ids, int pointers) {
  const auto names = pack.values<std::int64_t>(ids);
  const auto places = pack.values<void*>(pointers);
  std::map<std::int64_t, void*> all;
  for (std::size_t i = 0; i < names.size(); ++i) all[names[i]] = places.at(i);
  return all;
}

}  // namespace steelyard::doubles
