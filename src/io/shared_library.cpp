#include "io/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace holdfast::io {

Result<SharedLibrary> SharedLibrary::open(const Path& path) {
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return fail(Code::not_found,
                fmt::format("the library does not load: {}", why == nullptr ? "no reason given" : why));
  }
  return SharedLibrary(handle);
}

void* SharedLibrary::find(const char* name) const { return ::dlsym(handle_, name); }

}  // namespace holdfast::io
