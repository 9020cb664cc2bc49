#pragma once

#include <memory>

#include "base/result.h"
#include "io/disk.h"

namespace holdfast::io {

// A library of somebody else's, loaded while the program runs. Stays loaded to the program's end, as most
// start threads that nobody can wait for. Immutable; safe from any thread.
class SharedLibrary {
 public:
  // `path` as the dynamic loader takes it: absolute, or a bare name that it searches for. not_found where it
  // does not load, with the loader's reason.
  static Result<SharedLibrary> open(const Path& path);

  // Null when there is none of this name. The caller knows its type.
  void* find(const char* name) const;

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* handle_;
};

}  // namespace holdfast::io
