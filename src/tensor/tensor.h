#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/dtype.h"

namespace holdfast::tensor {

using codec::Dtype;

// Numbers in somebody else's memory, row-major, little-endian, any alignment. Checked by its maker: bytes are
// exactly what dtype and shape need.
struct TensorView {
  Dtype dtype = Dtype::f32;
  std::vector<uint64_t> shape;
  ByteView bytes;

  uint64_t elements() const;
};

// "[384, 1536]", for messages.
std::string shape_text(const std::vector<uint64_t>& shape);

// Widened to float: f32, f16, bf16 and f64 (rounded). Other types are model_unsupported.
Result<std::vector<float>> to_floats(const TensorView& view);
// i64, i32, u8, boolean and the like; f32 and friends are bad_request.
Result<std::vector<int64_t>> to_integers(const TensorView& view);

}  // namespace holdfast::tensor
