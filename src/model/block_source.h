#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "codec/gguf.h"

namespace holdfast::model {

// A tensor stored in ggml's blocks; shape as safetensors has it, the fastest dimension last.
struct BlockView {
  codec::GgmlType type = codec::GgmlType::f32;
  std::vector<uint64_t> shape;
  ByteView bytes;
};

// Tensors in blocks under the names that family files use. Immutable; safe from any thread.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  virtual const BlockView* find(std::string_view name) const = 0;  // Null when there is none.
};

}  // namespace holdfast::model
