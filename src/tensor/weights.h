#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/disk.h"
#include "tensor/tensor.h"

namespace holdfast::tensor {

// The tensors of model.safetensors or the shards of its index, else of pytorch_model.bin likewise, by an
// allow-list (codec/torch_checkpoint.h). The files stay mapped for its life, so views stay valid, and
// processes that open the same folder share the pages. Immutable; safe from any thread.
class Weights {
 public:
  // Errors: not_found when there is neither file, bad_request when one is malformed, repeats a name or lacks
  // a tensor that the index promises.
  static Result<Weights> open(io::Disk& disk, const io::Path& folder);
  // Whether `open` would find a file to read.
  static bool are_in(io::Disk& disk, const io::Path& folder);
  // One file, by its first bytes.
  static Result<Weights> open_file(io::Disk& disk, const io::Path& file);

  // Tensors in somebody else's memory; of equal names the first.
  static Weights borrowed(std::vector<std::pair<std::string, TensorView>> tensors);
  // The tensors of `all` whose names start with `prefix`, without it. Borrows what `all` has mapped.
  static Weights renamed(const Weights& all, std::string_view prefix);

  const TensorView* find(std::string_view name) const;  // Null when there is none.
  std::vector<std::string> names() const;               // Sorted.

 private:
  Status add_file(io::Disk& disk, const io::Path& file);

  std::vector<std::unique_ptr<io::MappedFile>> files_;
  std::unordered_map<std::string, TensorView> tensors_;
};

}  // namespace holdfast::tensor
