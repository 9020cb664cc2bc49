// Any bytes: no crash, and no value larger than the limits.
#include <boost/json/value.hpp>
#include <cstdint>

#include "base/check.h"
#include "codec/json.h"
#include "codec/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = codec::parse_yaml(text, {.bytes_max = 1 << 16, .depth_max = 16, .values_max = 1000});
  if (!value.ok()) return 0;
  const std::string written = codec::to_text(value.value());
  CHECK(written.size() < 1'000'000);
  CHECK(codec::parse_json(written).ok());
  return 0;
}
