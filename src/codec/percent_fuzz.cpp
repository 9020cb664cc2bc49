// Any text: what is encoded decodes to itself, in paths, forms and headers.
#include <cstdint>

#include "base/check.h"
#include "codec/header_text.h"
#include "codec/percent.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CHECK(codec::percent_decode(codec::percent_encode(text)).value() == text);
  CHECK(codec::percent_decode(codec::percent_encode(text, codec::PercentKeep::slash)).value() == text);
  CHECK(codec::form_decode(codec::form_encode(text)) == text);
  const auto decoded = codec::percent_decode(text);
  if (decoded.ok()) CHECK(decoded.value().size() <= size);
  const auto pairs = codec::parse_form(text, 50);
  if (pairs.ok()) CHECK(pairs.value().size() <= 50);
  const auto header = codec::parse_header_value(text);
  if (header.ok()) CHECK(header.value().parameters.size() <= 32);
  const std::string disposition = codec::content_disposition(codec::Disposition::attachment, text);
  CHECK(disposition.find_first_of("\r\n") == std::string::npos);
  const auto read = codec::parse_header_value(disposition);
  CHECK(read.ok() && read.value().parameters.size() == 2);
  return 0;
}
