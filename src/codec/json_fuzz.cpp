// Any bytes: no crash, and text that was accepted comes back as an equal value.
#include <boost/json/value.hpp>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = codec::parse_json(text);
  if (!value.ok()) return 0;
  const std::string written = codec::to_text(value.value());
  const auto again = codec::parse_json(written);
  CHECK(again.ok());
  CHECK(codec::to_text(again.value()) == written);
  CHECK(codec::parse_json(codec::to_pretty_text(value.value())).value() == again.value());
  return 0;
}
