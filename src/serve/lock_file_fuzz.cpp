#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "serve/lock_file.h"

// A lock comes with a repository. What is read and written again is read alike.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast::serve;
  const auto read = parse_lock(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!read.ok()) return 0;
  const auto again = parse_lock(lock_text(read.value()));
  if (!again.ok() || !(again.value() == read.value()) || !differences(read.value(), again.value()).empty())
    std::abort();
  return 0;
}
