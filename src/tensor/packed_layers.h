#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/random.h"
#include "io/disk.h"
#include "tensor/linear.h"
#include "tensor/packed_format.h"

namespace holdfast::tensor {

// The packed numbers of a model's linear layers in one file beside its weights. Processes that serve the same
// model map it, so that they pack nothing and share its pages. Either opened, and then it finds layers, or
// empty, and then `save` writes the layers that it was given. Threads that load a model share it. It must
// outlive the layers it gives.
class PackedLayers {
 public:
  // `key`: what the numbers were made of; a file of another key or version, or that is not whole, counts as
  // none.
  PackedLayers(io::Disk& disk, const io::Path& file, std::string key, Random& random);

  bool is_mapped() const { return mapped_ != nullptr; }
  // Null where it has none of this name and form.
  std::unique_ptr<const Linear> find(std::string_view name, const PackedForm& form, Isa isa) const;
  // Takes a layer that is to be written and gives one of the same numbers in its place; or it itself, where
  // there is one of this name, or it has no numbers.
  std::unique_ptr<const Linear> keep(std::string name, const PackedForm& form, Isa isa,
                                     std::unique_ptr<const Linear> layer);
  // Shows what was taken under the file's name and maps it. Others who save the same file at once do no harm.
  // Not where it would take more than half of what the disk has left. Where power may fail before it is
  // durable its sums tell, and nobody need wait for it.
  enum class Lasts : uint8_t { durably, while_power_does };
  Status save(Lasts lasts = Lasts::durably);
  // For processes that read the mapped file's numbers long after it was opened: io::MappedFile::settle, once.
  // Beside whoever computes with them. Nothing where layers have memory of their own.
  void settle();
  uint64_t mapped_bytes() const;  // That settle would be about.
  // Gives back the memory of what was taken: none of the layers that `keep` gave is there any more.
  void forget() { taken_.clear(); }

 private:
  struct Taken {
    PackedForm form;
    std::unique_ptr<const Linear> layer;
  };

  Status map();
  Status write(io::WriteFile& out, Lasts lasts) const;

  io::Disk& disk_;
  const io::Path file_, unfinished_;
  const std::string key_;
  std::unique_ptr<io::MappedFile> mapped_;
  std::unordered_map<std::string, PackedEntry> entries_;  // Of the mapped file.
  mutable std::mutex mutex_;                              // Guards taken_, and mapped_ while it is written.
  std::map<std::string, Taken> taken_;                    // By name, whichever thread was first.
};

}  // namespace holdfast::tensor
