#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "git/lfs_pointer.h"

using namespace holdfast;

// What parses formats to the canonical text, which parses to the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto pointer = git::parse_lfs_pointer(as_text(std::as_bytes(std::span(data, size))));
  if (!pointer) return 0;
  CHECK(pointer->sha256.size() == 64);
  CHECK(git::parse_lfs_pointer(git::format_lfs_pointer(*pointer)) == pointer);
  return 0;
}
