// SPDX-License-Identifier: Apache-2.0
// Deep-learning libraries that are told a graph of operations in descriptors, attribute by attribute:
// both vendors have one of the same design. An Api has their enumerators and pointers to the
// functions:
//   create(type, &descriptor), destroy(descriptor), finalize(descriptor),
//   set(descriptor, attribute, type, count, values), get(..., count, &count, values),
//   execute(handle, plan, pack).
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backends/gpu/vendor_library.h"

namespace steelyard::gpu {

template <class Api>
class Descriptor {
 public:
  Descriptor(const Api& api, int type) : api_(&api) {
    check(api, api.create(type, &raw_), "descriptor", type);
  }
  Descriptor(const Api& api, void* made) : api_(&api), raw_(made) {}  // takes it over
  Descriptor(Descriptor&& other) noexcept
      : api_(other.api_), raw_(std::exchange(other.raw_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~Descriptor() {
    if (raw_ != nullptr) api_->destroy(raw_);
  }

  void* raw() const { return raw_; }

  Descriptor& set(int attribute, int type, std::int64_t count, const void* values) {
    check(*api_, api_->set(raw_, attribute, type, count, values), "attribute", attribute);
    return *this;
  }
  Descriptor& set(int attribute, bool value) {
    return set(attribute, Api::type_boolean, 1, &value);
  }
  Descriptor& set(int attribute, std::int64_t value) {
    return set(attribute, Api::type_int64, 1, &value);
  }
  Descriptor& set(int attribute, const std::vector<std::int64_t>& values) {
    return set(attribute, Api::type_int64, static_cast<std::int64_t>(values.size()), values.data());
  }
  Descriptor& set(int attribute, const Descriptor& value) {
    return set(attribute, Api::type_descriptor, 1, &value.raw_);
  }
  Descriptor& set(int attribute, float value) { return set(attribute, Api::type_float, 1, &value); }
  // One of the library's enumerations, whose type is given.
  Descriptor& set_enumerator(int attribute, int type, int value) {
    return set(attribute, type, 1, &value);
  }
  Descriptor& finalize() {
    check(*api_, api_->finalize(raw_), "finalizing");
    return *this;
  }

 private:
  const Api* api_;
  void* raw_ = nullptr;
};

inline constexpr std::int64_t most_engines = 8;  // that are tried

// What a graph becomes: the first engine configuration that the library's heuristic names and that can
// be built.
template <class Api>
class ExecutionPlan {
 public:
  // Only asks the heuristic. Throws Refused where the library knows no engine for the graph.
  ExecutionPlan(const Api& api, void* handle, const std::vector<Descriptor<Api>>& operations)
      : api_(api),
        handle_(handle),
        graph_(make_graph(operations)),
        heuristic_(make_heuristic()),
        configurations_(ask_heuristic()) {
    if (configurations_.empty()) throw Refused(api.version() + " has no engine for it");
  }

  // Comes before what follows; takes as long as compiling a kernel does.
  void build() {
    std::string reason;
    for (Descriptor<Api>& configuration : configurations_) try {
        build(configuration);
        return;
      } catch (const Refused& refusal) {
        reason = refusal.what();
      }
    throw Refused(fmt::format("{}: {}", api_.version(), reason));
  }

  std::int64_t workspace_bytes() const { return workspace_bytes_; }
  std::int64_t engine() const { return engine_; }  // its number within the library

  // `values` of tensors by their ids: device memory, and host memory of what is passed by value.
  void execute(const std::map<std::int64_t, void*>& values, void* workspace) {
    std::vector<std::int64_t> ids;
    std::vector<void*> pointers;
    for (const auto& [id, value] : values) {
      ids.push_back(id);
      pointers.push_back(value);
    }
    Descriptor<Api> pack(api_, Api::variant_pack);
    pack.set(Api::pack_ids, ids)
        .set(Api::pack_pointers, Api::type_pointer, static_cast<std::int64_t>(pointers.size()),
             pointers.data())
        .set(Api::pack_workspace, Api::type_pointer, 1, &workspace)
        .finalize();
    check(api_, api_.execute(handle_, plan_.at(0).raw(), pack.raw()), "executing");
  }

 private:
  Descriptor<Api> make_graph(const std::vector<Descriptor<Api>>& operations) {
    std::vector<void*> raw;
    for (const Descriptor<Api>& operation : operations) raw.push_back(operation.raw());
    Descriptor<Api> graph(api_, Api::operation_graph);
    graph
        .set(Api::graph_operations, Api::type_descriptor, static_cast<std::int64_t>(raw.size()),
             raw.data())
        .set(Api::graph_handle, Api::type_handle, 1, &handle_)
        .finalize();
    return graph;
  }

  Descriptor<Api> make_heuristic() {
    Descriptor<Api> heuristic(api_, Api::engine_heuristic);
    heuristic.set(Api::heuristic_graph, graph_)
        .set_enumerator(Api::heuristic_mode, Api::type_heuristic_mode, Api::heuristic)
        .finalize();
    return heuristic;
  }

  // How many results the heuristic has; fills in those descriptors that there are.
  std::int64_t results(std::vector<void*> descriptors) const {
    std::int64_t count = 0;
    check(api_,
          api_.get(heuristic_.raw(), Api::heuristic_results, Api::type_descriptor,
                   static_cast<std::int64_t>(descriptors.size()), &count, descriptors.data()),
          "the heuristic's results");
    return count;
  }

  // Fewer than the heuristic has where the library's support checks let only some pass.
  std::vector<Descriptor<Api>> ask_heuristic() const {
    std::vector<Descriptor<Api>> found;
    std::vector<void*> raw;
    for (auto left = std::min(results({}), most_engines); left > 0; --left)
      raw.push_back(found.emplace_back(api_, Api::engine_configuration).raw());
    if (raw.empty()) return found;
    for (auto excess = std::ssize(found) - results(raw); excess > 0; --excess) found.pop_back();
    return found;
  }

  void build(Descriptor<Api>& chosen) {
    if (Api::results_need_finalizing) chosen.finalize();
    Descriptor<Api> plan(api_, Api::execution_plan);
    if (Api::plan_needs_handle) plan.set(Api::plan_handle, Api::type_handle, 1, &handle_);
    plan.set(Api::plan_configuration, chosen).finalize();
    workspace_bytes_ = number(plan, Api::plan_workspace_bytes);
    engine_ = number(engine_of(chosen), Api::engine_index);
    plan_.clear();
    plan_.push_back(std::move(plan));
  }

  // One library fills in a descriptor that exists, the other makes one.
  Descriptor<Api> engine_of(const Descriptor<Api>& configuration) const {
    Descriptor<Api> engine(api_, Api::engine);
    void* raw = engine.raw();
    std::int64_t count = 0;
    check(api_,
          api_.get(configuration.raw(), Api::configuration_engine, Api::type_descriptor, 1, &count,
                   &raw),
          "the engine");
    return raw == engine.raw() ? std::move(engine) : Descriptor<Api>(api_, raw);
  }

  std::int64_t number(const Descriptor<Api>& descriptor, int attribute) const {
    std::int64_t value = 0, count = 0;
    check(api_, api_.get(descriptor.raw(), attribute, Api::type_int64, 1, &count, &value),
          "attribute", attribute);
    return value;
  }

  const Api& api_;
  void* handle_;
  Descriptor<Api> graph_, heuristic_;
  std::vector<Descriptor<Api>> configurations_;
  std::vector<Descriptor<Api>> plan_;  // one, once built
  std::int64_t workspace_bytes_ = 0, engine_ = -1;
};

}  // namespace steelyard::gpu
