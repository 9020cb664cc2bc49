// Any bytes: a signature whose tensors have names, or refused.
#include <cstdint>

#include "base/check.h"
#include "codec/onnx_signature.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto found = holdfast::codec::read_onnx_signature({reinterpret_cast<const std::byte*>(data), size});
  if (!found.ok()) return 0;
  CHECK(!found.value().outputs.empty());
  for (const auto& value : found.value().inputs) {
    CHECK(!value.name.empty());
    for (const int64_t length : value.shape) CHECK(length >= -1);
  }
  return 0;
}
