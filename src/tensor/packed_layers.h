#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "io/disk.h"
#include "tensor/linear.h"
#include "tensor/packed_format.h"

namespace holdfast::tensor {

// The packed numbers of a model's linear layers in one file beside its weights. Processes that serve the same
// model map it, so that they pack nothing and share its pages. Either opened, and then it finds layers, or
// empty, and then it writes the layers that it is told of until `save`. One thread while a model is loaded;
// afterwards immutable, and it must outlive the layers it found.
class PackedLayers {
 public:
  // `key`: what the numbers were made of; a file of another key, version or instruction's form counts as
  // none.
  PackedLayers(io::Disk& disk, const io::Path& file, std::string key, Random& random);
  ~PackedLayers();  // Removes what was not saved.

  bool is_mapped() const { return mapped_ != nullptr; }
  // Null where it has none of this name, shape and precision.
  std::unique_ptr<const Linear> find(std::string_view name, const LinearShape& shape, Compute compute) const;
  // Writes a layer's numbers. Layers without any are left out; the first failure ends the writing, and `save`
  // tells.
  void note(std::string name, const LinearShape& shape, Compute compute, const Linear& layer);
  // Shows what was noted under the file's name, durably, and maps it. Others who save the same file at once
  // do no harm.
  Status save();

 private:
  Status map();
  Status write(const Linear& layer, PackedEntry entry);
  Status publish();

  io::Disk& disk_;
  const io::Path file_, unfinished_;
  const std::string key_;
  std::unique_ptr<io::MappedFile> mapped_;
  std::unordered_map<std::string, PackedEntry> entries_;  // Of the mapped file.
  std::unique_ptr<io::WriteFile> out_;                    // Null before the first layer.
  std::vector<PackedEntry> written_;
  Status writing_ = Done{};
};

}  // namespace holdfast::tensor
