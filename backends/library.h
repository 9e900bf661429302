// SPDX-License-Identifier: Apache-2.0
// A shared library opened at run time, its functions by their declared types. What is not there is
// a reason for a row of the result, never a crash.
#pragma once

#include <dlfcn.h>

#include <initializer_list>
#include <memory>
#include <string>

namespace steelyard {

class Library {
 public:
  // Opens the first of these names that the dynamic linker finds.
  explicit Library(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      handle_.reset(dlopen(name, RTLD_NOW | RTLD_LOCAL));
      if (handle_) return;
    }
    missing_ = dlerror();
  }

  // Why the library cannot be used: it was not found, or lacks a function asked for. Empty if it
  // can.
  const std::string& missing() const { return missing_; }

  // find<int(float)>("name"); null where there is none.
  template <class Function>
  Function* find(const char* name) {
    if (!handle_) return nullptr;
    void* symbol = dlsym(handle_.get(), name);
    if (symbol == nullptr) missing_ = dlerror();
    return reinterpret_cast<Function*>(symbol);
  }

  // The same for a function that the library can be used without.
  template <class Function>
  Function* find_optional(const char* name) const {
    return handle_ ? reinterpret_cast<Function*>(dlsym(handle_.get(), name)) : nullptr;
  }

 private:
  struct Close {
    void operator()(void* handle) const { dlclose(handle); }
  };
  std::unique_ptr<void, Close> handle_;
  std::string missing_;
};

}  // namespace steelyard
