#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/dtype.h"

namespace holdfast::codec {

// A tensor of a torch checkpoint: elements of a storage, which is in the file. Strides count elements.
struct TorchTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<uint64_t> shape, strides;
  ByteView storage;  // From its first element on.

  // Whether its elements lie in the file in row-major order.
  bool is_contiguous() const;
  uint64_t row_major_bytes() const;
  // Row-major: the file's own where it is contiguous, else into `owned`.
  ByteView row_major(Bytes& owned) const;
};

// The tensors of a state dict as `torch.save` writes it: a zip archive, or the pickles one after the other of
// torch before 1.6; docs/formats/pickle.md. The dict may lie under "state_dict", "model_state_dict", "model"
// or "module". Its pickle is read by an allow-list, nothing is run. Borrows the file. bad_request for
// whatever is not such a file or not within it.
Result<std::vector<TorchTensor>> read_torch_checkpoint(ByteView file);

// By its first bytes.
bool is_torch_checkpoint(ByteView first);

}  // namespace holdfast::codec
