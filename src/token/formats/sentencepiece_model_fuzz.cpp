#include <boost/json/object.hpp>

#include "base/check.h"
#include "token/formats/sentencepiece_document.h"

// Whatever is accepted becomes a document or is refused with a reason, for every way to read it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  auto model = token::parse_sentencepiece_model({reinterpret_cast<const std::byte*>(data), size});
  if (!model.ok()) return 0;
  CHECK(!model.value().pieces.empty());
  for (const char* name :
       {"", "LlamaTokenizer", "XLMRobertaTokenizer", "AlbertTokenizer", "GemmaTokenizer"}) {
    token::TokenizerConfig config;
    config.tokenizer_class = name;
    (void)token::document_of_sentencepiece(model.value(), config).ok();
  }
  return 0;
}
