#include <boost/json/object.hpp>

#include "token/formats/gguf_document.h"

// The vocabulary of any file that is accepted becomes a document or is refused with a reason.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto file = codec::GgufFile::parse(bytes);
  if (!file.ok()) return 0;
  (void)token::config_of_gguf(file.value()).ok();
  (void)token::document_of_gguf(file.value()).ok();
  return 0;
}
