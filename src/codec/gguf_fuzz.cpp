#include "base/check.h"
#include "codec/gguf.h"

// Whatever is accepted lies within the file, and every getter answers or refuses.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const ByteView file(reinterpret_cast<const std::byte*>(data), size);
  auto parsed = codec::GgufFile::parse(file);
  if (!parsed.ok()) return 0;
  const codec::GgufFile& gguf = parsed.value();
  for (const codec::GgufTensor& tensor : gguf.tensors()) {
    if (!tensor.bytes.empty())
      CHECK(tensor.bytes.data() >= file.data() &&
            tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size());
    CHECK(gguf.find_tensor(tensor.name) == &tensor);
  }
  for (const std::string_view key : gguf.keys()) {
    CHECK(gguf.find(key) != nullptr);
    (void)gguf.text_if(key).ok();
    (void)gguf.integer_if(key).ok();
    (void)gguf.number_if(key).ok();
    (void)gguf.flag_if(key).ok();
    (void)gguf.texts_if(key).ok();
    (void)gguf.numbers_if(key).ok();
    (void)gguf.integers_if(key).ok();
  }
  return 0;
}
