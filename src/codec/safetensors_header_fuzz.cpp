#include "base/check.h"
#include "codec/safetensors.h"

// Whatever is accepted must be within the file, and must be accepted again after being written by us.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const ByteView file(reinterpret_cast<const std::byte*>(data), size);
  (void)codec::parse_safetensors_header(file, std::nullopt);
  auto header = codec::parse_safetensors_header(file, size);
  if (!header.ok()) return 0;
  std::vector<codec::SafetensorsTensor> tensors;
  for (const codec::SafetensorsEntry& entry : header.value().entries) {
    CHECK(header.value().data_offset + entry.end <= size);
    tensors.push_back({entry.name, entry.dtype, entry.shape,
                       file.subspan(header.value().data_offset + entry.begin, entry.end - entry.begin)});
  }
  CHECK(codec::write_safetensors(tensors, header.value().metadata).ok());
  return 0;
}
