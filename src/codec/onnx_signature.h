#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

// A tensor that goes into a graph or comes out of it.
struct OnnxValue {
  std::string name;
  int32_t type = 0;            // TensorProto.DataType: 1 float32, 7 int64, 8 text, …
  std::vector<int64_t> shape;  // -1 where any length goes.
  bool operator==(const OnnxValue&) const = default;
};

struct OnnxSignature {
  std::vector<OnnxValue> inputs, outputs;
  std::vector<std::string> files;  // Beside it, that hold weights, each once.
};

// What a model in ONNX's protocol buffers (onnx.proto3, ModelProto) takes and gives, without its weights:
// initializers that older files list as inputs are none. Nothing is copied but names. bad_request for bytes
// that are no such file, or whose inputs or outputs are no tensors.
Result<OnnxSignature> read_onnx_signature(ByteView file);

}  // namespace holdfast::codec
