#include "base/check.h"
#include "codec/torch_checkpoint.h"

// Whatever is accepted has all its elements within the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const ByteView file(reinterpret_cast<const std::byte*>(data), size);
  const auto tensors = codec::read_torch_checkpoint(file);
  if (!tensors.ok()) return 0;
  uint64_t copied = 0;
  for (const codec::TorchTensor& tensor : tensors.value()) {
    CHECK(tensor.row_major_bytes() <= size);
    copied += tensor.row_major_bytes();
    if (copied > 1 << 24) break;
    Bytes owned;
    CHECK(tensor.row_major(owned).size() == tensor.row_major_bytes());
  }
  return 0;
}
