#include <cstdint>

#include "base/check.h"
#include "content/shard.h"

// What parses must be written back to something that parses to the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  using namespace holdfast::content;
  auto shard = parse_shard(std::as_bytes(std::span(data, size)));
  if (!shard.ok()) return 0;
  const Bytes written = write_shard(shard.value());
  auto again = parse_shard(written);
  CHECK(again.ok());
  CHECK(again.value().files.size() == shard.value().files.size());
  CHECK(write_shard(again.value()) == written);
  return 0;
}
